"""Numbers for CloudWatch, where alarms and dashboards read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

Unit = Literal["Count", "Seconds", "None"]
COUNT: Unit = "Count"
SECONDS: Unit = "Seconds"
NONE: Unit = "None"
_SMALLEST, _LARGEST = 1e-100, 1e100
N = TypeVar("N", float, float | None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One number of one metric, at the moment it is published."""

    name: str
    value: float
    unit: Unit = NONE
    dimensions: Mapping[str, str] = field(default_factory=dict)


def storable(value: N) -> N:
    """Limit a number to what DynamoDB and CloudWatch both take: theirs have a smaller range than a 64-bit float.

    >>> storable(1e-200), storable(-1e200), storable(0.5), storable(None)
    (0.0, -1e+100, 0.5, None)
    """
    if value is None:
        return value
    return 0.0 if abs(value) < _SMALLEST else max(-_LARGEST, min(_LARGEST, value))


def above_zero(measurement: Measurement) -> list[Measurement]:
    """Drop a measurement that is not above zero.

    CloudWatch bills a metric for each hour in which it has data, and to every alarm of the stack missing data is what
    zero is.
    """
    return [measurement] if measurement.value > 0 else []


class MetricSink(Protocol):
    """The sink of measurements."""

    def publish(self, measurements: Sequence[Measurement]) -> None:
        """Publish measurements, all of them before it returns; an alarm may act on them at once."""
