"""One relabelling of one model: what was asked for, how far it is, how it ended."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any

from hindsight.core import compact_json
from hindsight.core.times import format_time
from hindsight.labels.joining.feedback_files import FEEDBACK_PREFIX
from hindsight.lake.object_store import PREDICTIONS, model_prefix

REMEMBERED = timedelta(days=90)
"""How long it is remembered which files are done; Step Functions keeps an execution's name for as long."""

MAX_REASON = 1000


class RelabelStatus(StrEnum):
    """The state of a relabelling; ``stopped`` is one whose execution was over before it was concluded."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"
    SUPERSEDED = "superseded"


RESUMABLE = frozenset({RelabelStatus.FAILED, RelabelStatus.STOPPED})


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
    relabel_id: str
    reason: str
    rules_revision: int
    known_at: datetime
    started_at: datetime
    first_day: date | None = None
    last_day: date | None = None
    attempt: int = 1
    status: RelabelStatus = RelabelStatus.RUNNING
    files_total: int | None = None
    counts: Counts = Counts()
    failures: int = 0
    failure: str | None = None
    finished_at: datetime | None = None

    @property
    def execution(self) -> str:
        """Name of the execution of this attempt."""
        return f"{self.relabel_id}-{self.attempt}"

    @property
    def checkpoint_expires_at(self) -> datetime:
        """The moment from which the record of finished files is no longer kept."""
        return self.started_at + REMEMBERED

    def covers(self, day: date) -> bool:
        """Check whether files of a day are asked for."""
        return (self.first_day is None or self.first_day <= day) and (self.last_day is None or day <= self.last_day)

    def to_json(self) -> dict[str, Any]:
        """Show the relabelling to operators."""
        done, total = self.counts.files, self.files_total
        return {
            "relabel_id": self.relabel_id,
            "model": self.model,
            "status": self.status.value,
            "reason": self.reason,
            "from": self.first_day.isoformat() if self.first_day else None,
            "to": self.last_day.isoformat() if self.last_day else None,
            "rules_revision": self.rules_revision,
            "known_at": format_time(self.known_at),
            "started_at": format_time(self.started_at),
            "finished_at": format_time(self.finished_at) if self.finished_at else None,
            "attempt": self.attempt,
            # A few may have come since they were counted, and what an earlier attempt read may be in packs by now.
            "files": {"done": done, "total": None if total is None else max(done, total)},
            "predictions": self.counts.predictions,
            "events": self.counts.events,
            "events_recovered": self.counts.recovered,
            "labels_changed": self.counts.labels,
            "failure": self.failure,
        }


def relabel_id(model: str, known_at: datetime, request_id: str) -> str:
    """Build the id of a relabelling: in order of time, the same for the same request, fit for an execution's name."""
    return f"relabel-{known_at:%Y%m%dT%H%M%SZ}-{compact_json.digest([model, format_time(known_at), request_id])[:12]}"


def run_input(job: RelabelJob) -> dict[str, Any]:
    """Build what the state machine is started with: the same for the first start and for one made up for."""
    feedback, predictions = prefixes(job)
    return {
        "model": job.model,
        "relabel_id": job.relabel_id,
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
