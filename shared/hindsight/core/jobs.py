"""Long work that goes on where it stopped: imports and replays, how far they are and what they have done."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from hindsight.core.times import format_time


class JobKind(StrEnum):
    """The kind of work."""

    IMPORT = "import"
    REPLAY = "replay"
    ERASURE = "erasure"


class JobStatus(StrEnum):
    """The status of a job."""

    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One import or replay.

    ``request`` is what was asked for, ``checkpoint`` where the work goes on, ``counts`` what is done up to there. They
    change together, by one write that is conditional on ``version``: work that is done twice is counted once.
    """

    kind: JobKind
    model: str
    job_id: str
    at: datetime
    status: JobStatus = JobStatus.RUNNING
    version: int = 1
    request: Mapping[str, Any] = field(default_factory=dict)
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """True once nothing is left to do."""
        return self.status is JobStatus.DONE

    def advanced(self, checkpoint: Mapping[str, Any], counts: Mapping[str, int] | None = None) -> "Job":
        """Advance the job to a checkpoint, with what was done in between added to its counts.

        >>> job = Job(kind=JobKind.IMPORT, model="m", job_id="j", at=datetime(2026, 3, 1), counts={"lines": 2})
        >>> job.advanced({"line": 3}, {"lines": 1}).counts
        {'lines': 3}
        """
        added = dict(self.counts)
        for name, number in (counts or {}).items():
            if number:
                added[name] = added.get(name, 0) + number
        return replace(self, version=self.version + 1, checkpoint=checkpoint, counts=added)

    def done(self) -> "Job":
        """Finish the job."""
        return replace(self.advanced(self.checkpoint), status=JobStatus.DONE)


class JobStore(Protocol):
    """Jobs by model, kind and id."""

    def start(self, job: Job) -> Job:
        """Store a new job; return the stored one if it was started before."""

    def load(self, model: str, kind: JobKind, job_id: str) -> Job | None:
        """Read a job, None if there is none."""

    def save(self, job: Job) -> bool:
        """Store a job that has moved on by one version; False if another worker was faster."""

    def newest(self, model: str, kind: JobKind, limit: int) -> list[Job]:
        """List at most ``limit`` jobs, newest first."""


def job_id(at: datetime, *names: str) -> str:
    """Build an id that sorts by time and is the same for the same cause.

    >>> job_id(datetime.fromisoformat("2026-03-01T12:00:00Z"), "request-1")
    '20260301T120000.000000Z-19f1064b619d'
    """
    stamp = format_time(at).replace("-", "").replace(":", "")
    return f"{stamp}-{hashlib.sha256(chr(0).join(names).encode()).hexdigest()[:12]}"
