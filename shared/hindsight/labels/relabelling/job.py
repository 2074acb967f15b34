"""One relabelling of one model: its request, progress and result."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any

from hindsight.core.jobs import JobStatus
from hindsight.core.times import format_time
from hindsight.labels.joining.feedback_files import FEEDBACK_PREFIX
from hindsight.lake.object_store import PREDICTIONS, model_prefix

REMEMBERED = timedelta(days=90)
"""How long it is remembered which files are done; Step Functions keeps an execution's name for as long."""

MAX_REASON = 1000


RESUMABLE = frozenset({JobStatus.FAILED, JobStatus.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The counts of a part of a relabelling.

    ``events`` is the model's events in the raw files, ``recovered`` those of them that the table did not have,
    ``predictions`` the rows of the archived predictions, ``labels`` the label records written.
    """

    files: int = 0
    predictions: int = 0
    events: int = 0
    recovered: int = 0
    labels: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Add the counts of another part.

        >>> Counts(files=1, labels=2).plus(Counts(labels=3)).labels
        5
        """
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelJob:
    """A relabelling, guarded by its ``attempt``: every resumption is one more, and takes over from the previous one.

    ``known_at`` is the moment at which the new labels become known: fixed when it was asked for, so that a file read
    twice gives the same records twice. ``first_day`` and ``last_day`` bound the days of the raw files, of which there
    are ``files_total`` once they are counted.
    """

    model: str
    job_id: str
    reason: str
    rules_revision: int
    known_at: datetime
    started_at: datetime
    actor: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    attempt: int = 1
    status: JobStatus = JobStatus.RUNNING
    files_total: int | None = None
    counts: Counts = Counts()
    failures: int = 0
    failure: str | None = None
    finished_at: datetime | None = None

    @property
    def execution(self) -> str:
        """Name of the execution of this attempt."""
        return f"{self.job_id}-{self.attempt}"

    @property
    def checkpoint_expires_at(self) -> datetime:
        """The moment from which the record of finished files is no longer kept."""
        return self.started_at + REMEMBERED

    def covers(self, day: date) -> bool:
        """Check whether files of a day are asked for."""
        return (self.first_day is None or self.first_day <= day) and (self.last_day is None or day <= self.last_day)


def run_input(job: RelabelJob) -> dict[str, Any]:
    """Build the state machine's input: the same for the first start and for a repeated one."""
    feedback, predictions = prefixes(job)
    return {
        "model": job.model,
        "job_id": job.job_id,
        "attempt": job.attempt,
        "rules_revision": job.rules_revision,
        "known_at": format_time(job.known_at),
        "reason": job.reason,
        "feedback_prefix": feedback,
        "predictions_prefix": predictions,
    }


def prefixes(job: RelabelJob) -> tuple[str, str]:
    """List the prefixes of the raw feedback and the archived predictions of a relabelling."""
    folders = FEEDBACK_PREFIX, model_prefix(PREDICTIONS, job.model)
    feedback, predictions = (files_prefix(folder, job.first_day, job.last_day) for folder in folders)
    return feedback, predictions


def files_prefix(folder: str, first: date | None, last: date | None) -> str:
    """Find the longest prefix that all of a folder's files of some days have.

    It may let in files of other days; but of a year's files a month's listing does not see the other eleven.

    >>> files_prefix("feedback/", date(2026, 3, 2), date(2026, 3, 31))
    'feedback/date=2026-03-'
    """
    if first is None or last is None:
        return folder
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(f"{first}/", f"{last}/", strict=True))
    return f"{folder}date={''.join(same for same, _ in pairs)}"
