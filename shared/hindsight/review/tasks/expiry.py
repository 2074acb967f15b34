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
    """The counts of a sweep, and whether it ran out of time before it was through."""

    closed: int = 0
    sent: int = 0
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class ReviewExpiry:
    """The sweep of a model's tasks. It frees no leases: a lapsed one needs no change."""

    tasks: TaskStore
    outbox: Outbox

    def sweep(self, model: str, now: datetime, has_time: Callable[[], bool]) -> ExpiryReport:
        """Expire tasks that are due by ``now`` while there is time; the next sweep goes on with the rest."""
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
