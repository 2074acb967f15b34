"""Long work that goes on where it stopped: every kind of it under one kind of id, and in one shape for operators."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from hindsight.core import compact_json
from hindsight.core.codec import Record
from hindsight.core.errors import InvalidInput, NotFound, NotResumable
from hindsight.core.times import format_time


class JobKind(StrEnum):
    """The kind of work."""

    RELABELLING = "relabelling"
    IMPORT = "import"
    REPLAY = "replay"
    ERASURE = "erasure"
    VERIFICATION = "verification"
    EXPORT = "export"


class JobStatus(StrEnum):
    """The status of a job; ``stopped`` is one whose work ended without a result, ``superseded`` one without a use."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    SUPERSEDED = "superseded"


class Progress(Record):
    """The progress of a job: how much is done, of how much where that is known."""

    done: int
    total: int | None = None


class JobReport(Record):
    """A job of any kind as operators see it.

    ``actor`` asked for it, a file's import has none; ``reason`` is why, ``request`` what else was asked for, ``result``
    what it did so far.
    """

    job_id: str
    kind: JobKind
    status: JobStatus
    started_at: datetime
    progress: Progress
    finished_at: datetime | None = None
    actor: str | None = None
    reason: str | None = None
    request: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job but a relabelling, which many workers move on at once.

    ``at`` is the moment that it counts as asked for, ``actor`` by whom (none for a file), ``request`` what was asked
    for, ``checkpoint`` where the work goes on, ``counts`` what is done up to there. They change together, by one write
    that is conditional on ``version``: work that is done twice is counted once.
    """

    kind: JobKind
    model: str
    job_id: str
    at: datetime
    started_at: datetime
    actor: str | None = None
    status: JobStatus = JobStatus.RUNNING
    version: int = 1
    request: Mapping[str, Any] = field(default_factory=dict)
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    finished_at: datetime | None = None
    failure: str | None = None

    @property
    def is_over(self) -> bool:
        """True once nothing is left to do."""
        return self.status is not JobStatus.RUNNING

    def advanced(self, checkpoint: Mapping[str, Any], counts: Mapping[str, int] | None = None) -> "Job":
        """Advance the job to a checkpoint, with what was done in between added to its counts.

        >>> at = datetime(2026, 3, 1)
        >>> job = Job(kind=JobKind.IMPORT, model="m", job_id="j", at=at, started_at=at, counts={"lines": 2})
        >>> job.advanced({"line": 3}, {"lines": 1}).counts
        {'lines': 3}
        """
        added = dict(self.counts)
        for name, number in (counts or {}).items():
            if number:
                added[name] = added.get(name, 0) + number
        return replace(self, version=self.version + 1, checkpoint=checkpoint, counts=added)

    def completed(self, at: datetime, checkpoint: Mapping[str, Any] | None = None) -> "Job":
        """Finish the job, at a checkpoint that holds its result."""
        moved = self.advanced(self.checkpoint if checkpoint is None else checkpoint)
        return replace(moved, status=JobStatus.COMPLETED, finished_at=at)

    def failed(self, at: datetime, failure: str, counts: Mapping[str, int] | None = None) -> "Job":
        """End the job before it was done."""
        moved = self.advanced(self.checkpoint, counts)
        return replace(moved, status=JobStatus.FAILED, finished_at=at, failure=failure)


class JobStore(Protocol):
    """Jobs by model and id."""

    def start(self, job: Job) -> Job:
        """Store a new job; return the stored one if it was started before."""

    def load(self, model: str, job_id: str) -> Job | None:
        """Read a job, None if there is none."""

    def save(self, job: Job) -> bool:
        """Store a job that has moved on by one version; False if another worker was faster."""

    def newest(self, model: str, kind: JobKind, limit: int, before: str | None = None) -> list[Job]:
        """List at most ``limit`` jobs of a kind, newest first, with ids below ``before``."""


class WorkQueue(Protocol):
    """The queue of work for a function."""

    def send(self, body: str) -> None:
        """Put a message into the queue, durably."""


@dataclass(frozen=True, slots=True)
class JobResumptions:
    """Resumes jobs, of each kind in its own way; those of other kinds go on by themselves."""

    jobs: JobStore
    by_kind: Mapping[JobKind, Callable[[str, str], object]]

    def resume(self, model: str, job_id: str) -> None:
        """Resume a job. Raises NotFound, NotResumable."""
        resume = self.by_kind.get(kind_of(model, job_id))
        if resume is None:
            job = find_job(self.jobs, model, job_id)
            raise NotResumable(f"the {job.kind} {job_id} is {job.status}; a running one needs no resume")
        resume(model, job_id)


def name_job(kind: JobKind, at: datetime, *names: str) -> str:
    """Build an id that has its kind, sorts by time and is the same for the same cause.

    >>> name_job(JobKind.REPLAY, datetime.fromisoformat("2026-03-01T12:00:00Z"), "request-1")
    'replay-20260301T120000.000000Z-19f1064b619d'
    """
    stamp = format_time(at).replace("-", "").replace(":", "")
    return f"{kind}-{stamp}-{hashlib.sha256(chr(0).join(names).encode()).hexdigest()[:12]}"


def kind_of(model: str, job_id: str) -> JobKind:
    """Read the kind of a job from its id. Raises NotFound for an id that no job has."""
    try:
        return JobKind(job_id.partition("-")[0])
    except ValueError:
        raise no_job(model, job_id) from None


def find_job(jobs: JobStore, model: str, job_id: str, kind: JobKind | None = None) -> Job:
    """Read a job, of the kind that it must be of. Raises NotFound."""
    found = jobs.load(model, job_id) if kind in {None, kind_of(model, job_id)} else None
    if found is None:
        raise no_job(model, job_id)
    return found


def send_again(jobs: JobStore, queue: WorkQueue, model: str, job_id: str, kind: JobKind) -> None:
    """Send the message of a running job again: it may have been lost, or given up on. Raises NotFound, NotResumable."""
    job = find_job(jobs, model, job_id, kind)
    if job.is_over:
        raise NotResumable(f"the {kind} {job_id} is {job.status}")
    queue.send(job_message(job))


def no_job(model: str, job_id: str) -> NotFound:
    """Build the error of an id that names no job of a model."""
    return NotFound(f"the model {model!r} has no job {job_id!r}")


def job_message(job: Job) -> str:
    """Build the message by which a job waits for its work."""
    return compact_json.dumps({"model": job.model, "job_id": job.job_id})


def parse_message(body: str) -> tuple[str, str]:
    """Read the model and the id of the job that a message names. Raises InvalidInput."""
    found = compact_json.loads(body)
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in ("model", "job_id")):
        raise InvalidInput("the message names no job")
    return found["model"], found["job_id"]
