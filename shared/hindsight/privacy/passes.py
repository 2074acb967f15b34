"""One pass over the objects of a location: the subject's rows are removed, from replaced versions too."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from hindsight.core.batches import batches
from hindsight.core.errors import NotFound, UnreadableObject
from hindsight.core.jobs import Job
from hindsight.lake.object_store import REWRITTEN, Lake
from hindsight.privacy.data_map import DataLocation
from hindsight.privacy.redaction import RedactionResult
from hindsight.privacy.stores import ObjectVersion, ObjectVersions
from hindsight.privacy.subject import Subject

_MAX_UNREADABLE = 20
_READERS = 16
_MAX_AHEAD = 4 * _READERS
_AHEAD_BYTES = 32 << 20

BeforeReplacing = Callable[[str, bytes, str, RedactionResult], None]


class KeyVersions(NamedTuple):
    """A key and its versions to read: none where the pass has nothing to do with it."""

    key: str
    versions: list[ObjectVersion]


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


@dataclass(slots=True)
class Work:
    """An erasure in hand: whose, and the pass and the step that it is in."""

    job: Job
    subject: Subject
    number: int
    step: int
    progress: Progress = field(default_factory=Progress)
    datasets: set[str] = field(default_factory=set)

    @property
    def since(self) -> datetime | None:
        """The start of what the second pass reads; None in the first."""
        return self.job.started_at if self.number > 1 else None


@dataclass(frozen=True, slots=True)
class ErasurePass:
    """A pass over locations."""

    lake: Lake
    versions: ObjectVersions

    def clean(
        self, work: Work, location: DataLocation, before_replacing: BeforeReplacing | None = None
    ) -> Iterator[str]:
        """Take the subject's rows out of a location's objects; yield each key that is done.

        ``before_replacing`` is called for each object about to change, with its new content.
        """
        for key, versions in self.read(self.keys(location, work.subject.model, work.progress.after, work.since)):
            self.redact(location, versions, work.subject, work.progress, before_replacing)
            yield key

    def keys(self, location: DataLocation, model: str, after: str, since: datetime | None) -> Iterator[KeyVersions]:
        """List all versions of each key of a place after a key; with ``since`` only of keys written to from then on.

        The other keys come without: there may be many, so that a listing must be able to stop among them.
        """
        # In the order of the keys, so that what sorts after ``after`` is what is left.
        for prefix in sorted(location.prefixes(model)):
            for key, found in groupby(self.versions.under(prefix, after), attrgetter("key")):
                versions = list(found)
                is_old = since is not None and all(version.written_at < since for version in versions)
                is_other = not key.removesuffix(REWRITTEN).endswith(location.suffix)
                yield KeyVersions(key, [] if is_old or is_other else versions)

    def read(self, keys: Iterable[KeyVersions]) -> Iterator[tuple[str, list[ReadVersion]]]:
        """Read versions with their bytes, key by key; some are read ahead, since reading waits for answers."""
        with ThreadPoolExecutor(_READERS) as readers:
            for batch in batches(keys, _ahead, room=_AHEAD_BYTES):
                contents = readers.map(self._content, [version for _, versions in batch for version in versions])
                for key, versions in batch:
                    yield key, [ReadVersion(version, next(contents)) for version in versions]

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
        before_replacing: BeforeReplacing | None = None,
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


def _ahead(found: KeyVersions) -> int:
    """Compute the room that a key takes among those read ahead, at least an even share each."""
    share = _AHEAD_BYTES // _MAX_AHEAD
    return max(share, sum(max(version.size, share) for version in found.versions))


def _type_of(key: str) -> str:
    if key.endswith(".json"):
        return "application/json"
    return "application/x-msgpack" if key.endswith(".profile") else "application/x-ndjson"
