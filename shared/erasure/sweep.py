"""One pass over the objects of a place: what is the subject's goes, from what was replaced too."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from shared.erasure.cleaning import Cleaned
from shared.erasure.places import Place
from shared.erasure.subject import Subject
from shared.erasure.versions import ObjectVersion, ObjectVersions
from shared.errors import NotFound, UnreadableObject
from shared.lake import REWRITTEN, Lake

_MOST_TOLD = 20


@dataclass(slots=True)
class Progress:
    """How far a run is: what it took out, by place, and what it could not read. ``after`` is the last key done."""

    after: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def note_unreadable(self, key: str) -> None:
        """Remember an object that somebody has to look at."""
        if key not in self.unreadable and len(self.unreadable) < _MOST_TOLD:
            self.unreadable.append(key)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Cleans the objects of places. ``before_replacing`` is told of each that is about to change, and to what."""

    lake: Lake
    versions: ObjectVersions

    def keys(self, place: Place, model: str, after: str, since: datetime | None) -> Iterator[list[ObjectVersion]]:
        """Yield all versions of each key of a place after a key; with ``since`` only keys written to from then on."""
        for prefix in place.prefixes(model):
            together: list[ObjectVersion] = []
            for version in self.versions.under(prefix, after):
                if not version.key.removesuffix(REWRITTEN).endswith(place.suffix):
                    continue
                if together and together[0].key != version.key:
                    yield from self._if_new(together, since)
                    together = []
                together.append(version)
            yield from self._if_new(together, since)

    def clean(
        self,
        place: Place,
        versions: list[ObjectVersion],
        subject: Subject,
        progress: Progress,
        before_replacing: Callable[[str, bytes, str, Cleaned], None] | None = None,
    ) -> None:
        """Take what is the subject's out of all versions of a key.

        What is left is written before anything is removed. Raises Unavailable; doing it again is safe.
        """
        for version in versions:
            try:
                content = self.versions.read(version)
                cleaned = place.clean(subject, content)
            except NotFound:
                continue
            except (UnreadableObject, ValueError, KeyError):
                progress.note_unreadable(version.key)
                continue
            if cleaned is None:
                continue
            if version.is_current:
                target = place.rewritten(version.key)
                if before_replacing is not None:
                    before_replacing(version.key, content, target, cleaned)
                if not self._replace(version, target, cleaned):
                    # Somebody has just written it: what that left behind is read by the second pass.
                    continue
                progress.counts[place.name] += cleaned.rows
            self.versions.purge([version])

    def _replace(self, version: ObjectVersion, target: str, cleaned: Cleaned) -> bool:
        if cleaned.content is not None:
            if target == version.key:
                return self.lake.replace_bytes(target, cleaned.content, _type_of(target), expected=version.tag)
            self.lake.write_bytes(target, cleaned.content, _type_of(target))
        self.lake.delete(version.key)
        return True

    def _if_new(self, versions: list[ObjectVersion], since: datetime | None) -> Iterator[list[ObjectVersion]]:
        if versions and (since is None or any(version.written_at >= since for version in versions)):
            yield versions


def _type_of(key: str) -> str:
    if key.endswith(".json"):
        return "application/json"
    return "application/x-msgpack" if key.endswith(".profile") else "application/x-ndjson"
