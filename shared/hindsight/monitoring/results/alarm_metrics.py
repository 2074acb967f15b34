"""The metrics that the stack's own alarms watch: by model and version, and once over all models."""

from collections.abc import Sequence

from hindsight.monitoring.results.measurement import Measurement

SHORTFALL = "LivePerformanceShortfall"
DRIFT_DETECTED = "DriftDetected"
LABEL_FRESHNESS = "LabelFreshnessSeconds"
WATCHED = (SHORTFALL, DRIFT_DETECTED, LABEL_FRESHNESS)


def with_overall(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return the measurements and of each watched metric the largest over all models, without dimensions.

    An alarm sees one series and can search for none. The largest is published last: an emulator that does not tell
    series apart evaluates its alarms on what came last.
    """
    return [*measurements, *(worst for name in WATCHED for worst in _worst(name, measurements))]


def _worst(name: str, measurements: Sequence[Measurement]) -> list[Measurement]:
    found = [number for number in measurements if number.name == name]
    if not found:
        return []
    worst = max(found, key=lambda number: number.value)
    return [Measurement(name=name, value=worst.value, unit=worst.unit)]
