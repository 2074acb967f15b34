"""What can ask for a retraining run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class SignalKind(StrEnum):
    """Where a signal comes from."""

    SCHEDULE = "schedule"
    VOLUME = "volume"
    DRIFT = "drift"
    PERFORMANCE = "performance"
    ALARM = "alarm"
    MANUAL = "manual"


SUFFICIENT_ALONE = frozenset({SignalKind.ALARM, SignalKind.MANUAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One reason to retrain: since when it stands, and the numbers behind it."""

    kind: SignalKind
    at: datetime
    evidence: Mapping[str, Any] = field(default_factory=dict)
