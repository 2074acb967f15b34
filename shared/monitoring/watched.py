"""The metrics that the stack's own alarms watch: by model and version, and once over all models."""

from collections.abc import Sequence

from shared.monitoring.check import Verdict
from shared.monitoring.measurement import Measurement

SHORTFALL = "LivePerformanceShortfall"
DRIFT_DETECTED = "DriftDetected"
LABEL_AGE = "LabelAgeSeconds"
WATCHED = (SHORTFALL, DRIFT_DETECTED, LABEL_AGE)


def with_overall(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return the measurements and of each watched metric the largest over all models, without dimensions.

    An alarm sees one series and can search for none. The largest is published last: an emulator that does not tell
    series apart evaluates its alarms on what came last.
    """
    return [*measurements, *(worst for name in WATCHED for worst in _worst(name, measurements))]


def drift_measurements(model: str, version: str, verdict: Verdict) -> list[Measurement]:
    """Return whether a version's inputs drift, 1 or 0; an alarm on one model outlives its versions.

    >>> [found.value for found in drift_measurements("bike", "v1", Verdict.DRIFT)]
    [1.0, 1.0]
    """
    found = float(verdict is Verdict.DRIFT)
    every = ({"Model": model, "ModelVersion": version}, {"Model": model})
    return [Measurement(name=DRIFT_DETECTED, value=found, dimensions=dimensions) for dimensions in every]


def _worst(name: str, measurements: Sequence[Measurement]) -> list[Measurement]:
    found = [number for number in measurements if number.name == name]
    if not found:
        return []
    worst = max(found, key=lambda number: number.value)
    return [Measurement(name=name, value=worst.value, unit=worst.unit)]
