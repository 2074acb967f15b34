"""The metrics behind the stack's own alarms: by model and version, and once over all models."""

from collections.abc import Sequence

from hindsight.monitoring.results.measurement import Measurement

SHORTFALL = "LivePerformanceShortfall"
DRIFT_DETECTED = "DriftDetected"
LABEL_FRESHNESS = "LabelFreshnessSeconds"
ALARM_METRICS = (SHORTFALL, DRIFT_DETECTED, LABEL_FRESHNESS)


def with_overall(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Add to measurements the largest value over all models of each alarm metric, without dimensions.

    An alarm reads one series and cannot search. The largest is published last: an emulator that does not separate
    series evaluates its alarms on what came last.
    """
    return [*measurements, *(worst for name in ALARM_METRICS for worst in _worst(name, measurements))]


def _worst(name: str, measurements: Sequence[Measurement]) -> list[Measurement]:
    found = [number for number in measurements if number.name == name]
    if not found:
        return []
    worst = max(found, key=lambda number: number.value)
    return [Measurement(name=name, value=worst.value, unit=worst.unit)]
