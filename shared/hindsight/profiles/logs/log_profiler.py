"""The profiler of the log of predictions: into hourly profiles, a day of a model at a time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from hindsight.config.features import Feature
from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import NotFound
from hindsight.lake.object_store import Lake
from hindsight.profiles.logs.day_log import DayLog, TimeUp
from hindsight.profiles.logs.day_profiler import DayProfiler, ProfilingReport
from hindsight.profiles.logs.log_object import LogDay, RowProfiler
from hindsight.registry.served_features import with_kept_features

__all__ = ["LogProfiler", "ProfilingReport"]


@dataclass(frozen=True, slots=True)
class LogProfiler:
    """The profiler of log objects into hourly profiles; ``pause`` waits before another attempt, the first is 0.

    ``served`` finds the features of a model that what serves reads: profiled too, while nothing else does.
    """

    lake: Lake
    configurations: ConfigurationStore
    pause: Callable[[int], None]
    served: Callable[[str], Mapping[str, Feature]] = lambda _model: MappingProxyType({})

    def profile(self, keys: Iterable[str], has_time: Callable[[], bool] = lambda: True) -> ProfilingReport:
        """Merge log objects into the profiles of their hours, each hour written once for all of them.

        Failures are reported by key; profiling them again is safe, as it is for objects that time did not suffice for.
        Keys outside the log, objects that are gone and those of an unknown model need nothing.
        """
        report = ProfilingReport()
        days = [(day, key) for key in set(keys) if (day := LogDay.of(key)) is not None]
        for day, found in groupby(sorted(days, key=lambda pair: (pair[0].model, pair[0].day, pair[1])), lambda p: p[0]):
            day_keys = [key for _, key in found]
            try:
                declared = self.configurations.current(day.model).configuration
            except NotFound:
                report.unknown_models.add(day.model)
                continue
            try:
                configuration = with_kept_features(declared, self.served(day.model))
                log = DayLog(self.lake, day, RowProfiler(configuration.features, configuration.task), has_time)
                DayProfiler(self.lake, self.pause, log, report).profile(day_keys)
            except TimeUp:
                report.postponed.update(day_keys)
            except Exception as error:  # noqa: BLE001  a failure of one day leaves the others
                report.failures.update(dict.fromkeys(day_keys, error))
        return report
