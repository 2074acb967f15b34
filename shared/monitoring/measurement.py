"""Numbers for CloudWatch, where alarms and dashboards read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

COUNT, NONE = "Count", "None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One number of one metric, at the moment it is published."""

    name: str
    value: float
    unit: str = NONE
    dimensions: Mapping[str, str] = field(default_factory=dict)


class MetricSink(Protocol):
    """Where measurements go."""

    def publish(self, measurements: Sequence[Measurement]) -> None:
        """Return once all measurements are taken; an alarm may act on them at once."""
