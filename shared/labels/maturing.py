"""What the clock does to labels: windows close, defaults fall due, parked feedback is given up on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.configuration.store import ConfigurationStore
from shared.labels.join import JoinReport, LabelJoiner
from shared.labels.store import LabelStore
from shared.schedule import in_turn

_EVERY = timedelta(minutes=5)


@dataclass(slots=True)
class SweepReport:
    """What a sweep did, and whether it ran out of time before it was through."""

    joins: JoinReport = field(default_factory=JoinReport)
    examined: int = 0
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Maturing:
    """Sweeps the predictions of every model that the clock changes."""

    store: LabelStore
    joiner: LabelJoiner
    configurations: ConfigurationStore

    def sweep(self, now: datetime, has_time: Callable[[], bool]) -> SweepReport:
        """Mature all that is due by ``now`` while there is time; the rest stays due, the next sweep goes on with it."""
        report = SweepReport()
        for model in in_turn(self.configurations.models(), now, every=_EVERY):
            for keys in self.store.due(model, now):
                if not has_time():
                    report.is_complete = False
                    return report
                report.joins.merge(self.joiner.mature(keys, now))
                report.examined += len(keys)
        return report
