"""What can ask for a retraining run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hindsight.core.times import format_time, parse_time


class SignalKind(StrEnum):
    """Where a signal comes from."""

    SCHEDULE = "schedule"
    VOLUME = "volume"
    DRIFT = "drift"
    PERFORMANCE = "performance"
    ESTIMATED_PERFORMANCE = "estimated_performance"
    ALARM = "alarm"
    MANUAL = "manual"


SUFFICIENT_ALONE = frozenset({SignalKind.ALARM, SignalKind.MANUAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One reason to retrain: since when it stands, and the numbers behind it."""

    kind: SignalKind
    at: datetime
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the signal as operators see it and as it is kept."""
        return {"kind": self.kind.value, "at": format_time(self.at), "evidence": dict(self.evidence)}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Signal":
        """Return the signal that ``to_json`` showed."""
        return cls(kind=SignalKind(row["kind"]), at=parse_time(row["at"]), evidence=row["evidence"])
