"""One pass over the objects of a location: the subject's rows are removed, from replaced versions too."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from hindsight.core.batches import batches
from hindsight.core.errors import NotFound, UnreadableObject
from hindsight.lake.object_store import REWRITTEN, Lake
from hindsight.privacy.data_map import DataLocation
from hindsight.privacy.redaction import RedactionResult
from hindsight.privacy.subject import Subject
from hindsight.privacy.versions import ObjectVersion, ObjectVersions

_MAX_UNREADABLE = 20
_READERS = 16
_MAX_AHEAD = 4 * _READERS
_AHEAD_BYTES = 32 << 20


class ReadVersion(NamedTuple):
    """A version with its bytes, None where it is gone."""

    version: ObjectVersion
    content: bytes | None


@dataclass(slots=True)
class Progress:
    """The progress of a run: rows removed, by location, and unreadable objects. ``after`` is the last key done."""

    after: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def note_unreadable(self, key: str) -> None:
        """Record an object that an operator has to look at."""
        if key not in self.unreadable and len(self.unreadable) < _MAX_UNREADABLE:
            self.unreadable.append(key)


@dataclass(frozen=True, slots=True)
class ErasurePass:
    """A pass over locations. ``before_replacing`` is called for each object about to change, with its new content."""

    lake: Lake
    versions: ObjectVersions

    def keys(
        self, location: DataLocation, model: str, after: str, since: datetime | None
    ) -> Iterator[list[ObjectVersion]]:
        """List all versions of each key of a place after a key; with ``since`` only keys written to from then on."""
        for prefix in location.prefixes(model):
            together: list[ObjectVersion] = []
            for version in self.versions.under(prefix, after):
                if not version.key.removesuffix(REWRITTEN).endswith(location.suffix):
                    continue
                if together and together[0].key != version.key:
                    yield from self._if_new(together, since)
                    together = []
                together.append(version)
            yield from self._if_new(together, since)

    def read(self, keys: Iterable[list[ObjectVersion]]) -> Iterator[list[ReadVersion]]:
        """Read versions with their bytes, key by key; some are read ahead, since reading waits for answers."""
        with ThreadPoolExecutor(_READERS) as readers:
            for batch in batches(keys, _ahead, room=_AHEAD_BYTES):
                contents = readers.map(self._content, [version for versions in batch for version in versions])
                for versions in batch:
                    yield [ReadVersion(version, next(contents)) for version in versions]

    def _content(self, version: ObjectVersion) -> bytes | None:
        try:
            return self.versions.read(version)
        except NotFound:
            return None

    def redact(
        self,
        location: DataLocation,
        versions: Sequence[ReadVersion],
        subject: Subject,
        progress: Progress,
        before_replacing: Callable[[str, bytes, str, RedactionResult], None] | None = None,
    ) -> None:
        """Take what is the subject's out of all versions of a key.

        What is left is written before anything is removed. Raises Unavailable; doing it again is safe.
        """
        for version, content in versions:
            if content is None:
                continue
            try:
                redacted = location.redact(subject, content)
            except (UnreadableObject, ValueError, KeyError):
                progress.note_unreadable(version.key)
                continue
            if redacted is None:
                continue
            if version.is_current:
                target = location.rewritten(version.key)
                if before_replacing is not None:
                    before_replacing(version.key, content, target, redacted)
                if not self._replace(version, target, redacted):
                    # Another writer has just written it: the version it replaced is read by the second pass.
                    continue
                progress.counts[location.name] += redacted.rows
            self.versions.purge([version])

    def _replace(self, version: ObjectVersion, target: str, redacted: RedactionResult) -> bool:
        if redacted.content is not None:
            if target == version.key:
                return self.lake.replace_bytes(target, redacted.content, _type_of(target), expected=version.tag)
            self.lake.write_bytes(target, redacted.content, _type_of(target))
        self.lake.delete(version.key)
        return True

    def _if_new(self, versions: list[ObjectVersion], since: datetime | None) -> Iterator[list[ObjectVersion]]:
        if versions and (since is None or any(version.written_at >= since for version in versions)):
            yield versions


def _ahead(versions: list[ObjectVersion]) -> int:
    """Compute the room that versions take among those read ahead, at least an even share each."""
    return sum(max(version.size, _AHEAD_BYTES // _MAX_AHEAD) for version in versions)


def _type_of(key: str) -> str:
    if key.endswith(".json"):
        return "application/json"
    return "application/x-msgpack" if key.endswith(".profile") else "application/x-ndjson"
