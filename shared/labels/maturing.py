"""What the clock does to labels: windows close, defaults fall due, parked feedback is given up on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.capture.prediction import PredictionKey
from shared.labels.join import JoinReport, LabelJoiner
from shared.labels.store import LabelStore


@dataclass(slots=True)
class SweepReport:
    """What a sweep did, and whether it ran out of time before it was through.

    ``lag`` is how long the oldest label that is left has been due.
    """

    joins: JoinReport = field(default_factory=JoinReport)
    examined: int = 0
    is_complete: bool = True
    lag: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Maturing:
    """Sweeps the predictions of a model that the clock changes."""

    store: LabelStore
    joiner: LabelJoiner

    def sweep(self, model: str, now: datetime, has_time: Callable[[], bool]) -> SweepReport:
        """Mature all that is due by ``now`` while there is time; the rest stays due, the next sweep goes on with it."""
        report = SweepReport()
        for keys in self.store.due(model, now):
            if not has_time():
                report.is_complete, report.lag = False, self._lag(keys[0], now)
                return report
            report.joins.merge(self.joiner.mature(keys, now))
            report.examined += len(keys)
        return report

    def _lag(self, key: PredictionKey, now: datetime) -> timedelta:
        """Compute how long a prediction has been due; a page of them begins with the oldest."""
        (found,) = self.store.load([key])
        due_at = found.head.due_at if found.head else None
        return timedelta(0) if due_at is None else max(timedelta(0), now - due_at)
