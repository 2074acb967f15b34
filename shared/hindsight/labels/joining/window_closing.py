"""Closing windows: labels become final, defaults fall due, pending feedback reaches its match timeout."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hindsight.entities.prediction import PredictionKey
from hindsight.labels.joining.join import JoinReport, LabelJoiner
from hindsight.labels.store import ALL, LabelStore, Share


@dataclass(slots=True)
class SweepReport:
    """The result of a sweep; one that ran out of time is not complete.

    ``lag`` is the age of the oldest label that is still due; with ``is_shared_out`` other invocations do the work.
    """

    joins: JoinReport = field(default_factory=JoinReport)
    examined: int = 0
    is_complete: bool = True
    lag: timedelta = timedelta(0)
    is_shared_out: bool = False


SWEEPS = 16
"""Sweeps that share a model of which more is due than one works off, each in a separate invocation."""

MUCH_DUE = 100_000
"""Predictions due at once from which on a model is shared: more than a minute's work for one sweep."""


@dataclass(frozen=True, slots=True)
class WindowClosing:
    """The sweep over the predictions of a model whose windows close."""

    store: LabelStore
    joiner: LabelJoiner

    def sweep(
        self,
        model: str,
        now: datetime,
        has_time: Callable[[], bool],
        share: Share = ALL,
        share_out: Callable[[], None] | None = None,
    ) -> SweepReport:
        """Close a share's windows that are due by ``now`` while there is time; the next sweep goes on with the rest.

        Where more is due than one sweep works off, and it may be shared out, that is all this one does.
        """
        report, pages = SweepReport(), self.store.due(model, now, share)
        if share_out is not None:
            ahead = list[list[PredictionKey]]()
            for keys in pages:
                ahead.append(keys)
                if sum(map(len, ahead)) >= MUCH_DUE:
                    share_out()
                    return SweepReport(is_complete=False, is_shared_out=True)
            pages = iter(ahead)
        for keys in pages:
            if not has_time():
                report.is_complete, report.lag = False, self._lag(keys[0], now)
                return report
            report.joins.merge(self.joiner.close_windows(keys, now))
            report.examined += len(keys)
        return report

    def _lag(self, key: PredictionKey, now: datetime) -> timedelta:
        """Compute how long a prediction has been due; a page of them begins with the oldest."""
        (found,) = self.store.load([key])
        due_at = found.head.due_at if found.head else None
        return timedelta(0) if due_at is None else max(timedelta(0), now - due_at)
