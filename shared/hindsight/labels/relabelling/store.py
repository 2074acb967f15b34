"""The port of the store of relabellings and of their progress in each file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hindsight.core.jobs import JobStatus
from hindsight.labels.relabelling.job import Counts, RelabelJob

MAX_STEPS = 40
"""Files that move on together; with its condition each is an operation of one transaction."""


@dataclass(frozen=True, slots=True)
class FilePosition:
    """The progress in a file: the number of lines read, or its end.

    One that ``is_followed`` was read to its end in place of others, which it holds, and does not count as a file; the
    batch that lists it, if one does, counts it then.
    """

    line: int = 0
    is_done: bool = False
    is_followed: bool = False


@dataclass(frozen=True, slots=True)
class FileStep:
    """One file's progress, from where a worker found it to where it got."""

    file: str
    before: FilePosition
    after: FilePosition


@dataclass(frozen=True, slots=True)
class RelabelEnd:
    """The end of an attempt."""

    status: JobStatus
    at: datetime
    failure: str | None = None


class RelabelStore(Protocol):
    """Relabellings by model; of one model at most one is open."""

    def open_job(self, model: str) -> RelabelJob | None:
        """Read the open relabelling without its counts, None if there is none."""

    def begin(self, job: RelabelJob, dead: RelabelJob | None) -> bool:
        """Make an attempt the open one: of a new relabelling (attempt 1) or of one there is, both parts or neither.

        ``dead`` is the attempt it takes over from because its execution is over; unless it is of the same
        relabelling, that one is stopped. Returns False, and changes nothing, if another attempt is open by now, or
        the relabelling is no longer at the attempt before.
        """

    def conclude(self, model: str, job_id: str, attempt: int, end: RelabelEnd) -> bool:
        """Record how an attempt ended and close it; False if it is not the open one (any more)."""

    def note_files(self, job: RelabelJob, total: int) -> None:
        """Note how many files the open attempt has found. What an earlier attempt found is ignored."""

    def note_failure(self, job: RelabelJob, failure: str) -> None:
        """Count a failure of the open attempt; the last one's text is kept. One of an earlier attempt is ignored."""

    def job(self, model: str, job_id: str) -> RelabelJob:
        """Read one relabelling. Raises NotFound."""

    def state(self, model: str, job_id: str) -> RelabelJob:
        """Read one relabelling without its counts, which is cheap. Raises NotFound."""

    def newest(self, model: str, limit: int, before: str | None = None) -> list[RelabelJob]:
        """List at most ``limit`` relabellings, newest first, with ids below ``before``."""

    def positions(self, job: RelabelJob, files: Sequence[str]) -> dict[str, FilePosition]:
        """Read a relabelling's position in each of some files, whichever attempt reached it. Raises Unavailable."""

    def advance(self, job: RelabelJob, steps: Sequence[FileStep], counts: Counts) -> bool:
        """Move on in at most ``MAX_STEPS`` files and add to the relabelling's counts, all of it or nothing.

        Returns False, and changes nothing, if another worker has moved on in one of them already: so that what was
        read twice is counted once. Raises Unavailable.
        """
