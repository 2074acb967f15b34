"""Expiry of review tasks, and publication of annotations that a crash left unsent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hindsight.entities.prediction import PredictionKey
from hindsight.review.tasks.outbox import Outbox
from hindsight.review.tasks.store import TaskStore
from hindsight.review.tasks.transitions import expired


@dataclass(slots=True)
class ExpiryReport:
    """What a sweep did, and whether it ran out of time before it was through."""

    closed: int = 0
    sent: int = 0
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class ReviewExpiry:
    """Sweeps the tasks of a model. Nothing here frees leases: a lapsed one does not need it."""

    tasks: TaskStore
    outbox: Outbox

    def sweep(self, model: str, now: datetime, has_time: Callable[[], bool]) -> ExpiryReport:
        """Do all that is to be done by ``now`` while there is time; the next sweep goes on with the rest."""
        report = ExpiryReport()
        for keys in self.tasks.unsent(model):
            if not has_time():
                report.is_complete = False
                return report
            report.sent += self.outbox.send(self.tasks.load(keys).values())
        for keys in self.tasks.overdue(model, now):
            if not has_time():
                report.is_complete = False
                return report
            report.closed += self._close(keys, now)
        return report

    def _close(self, keys: list[PredictionKey], now: datetime) -> int:
        closed = [after for task in self.tasks.load(keys).values() if (after := expired(task, now))]
        return len(self.tasks.save(closed))
