"""A trigger decision as it is kept: fired or suppressed, with everything it saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.times import format_time, parse_time
from shared.triggers.signal import Signal
from shared.triggers.state import RunOutcome


class Cause(StrEnum):
    """What made Hindsight decide."""

    SCHEDULE = "schedule"
    ALARM = "alarm"
    MANUAL = "manual"


class SuppressedBy(StrEnum):
    """What held a run back; of several, the first in this order is named."""

    NO_SIGNAL = "no_signal"
    COMBINATION = "combination"
    OPEN_RUN = "open_run"
    COOLDOWN = "cooldown"
    BACK_OFF = "back_off"
    RUN_BUDGET = "run_budget"
    MIN_NEW_LABELS = "min_new_labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision: ``signals`` is the whole demand it saw, ``held_back_by`` everything that stood against it.

    ``outcome`` and ``outcome_reason`` are added when the run a fired decision started has ended.
    """

    decision_id: str
    model: str
    at: datetime
    cause: Cause
    reason: str
    signals: tuple[Signal, ...]
    held_back_by: tuple[SuppressedBy, ...] = ()
    new_labels: int | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    forced: bool = False
    requested_by: str | None = None
    fencing_token: int | None = None
    outcome: RunOutcome | None = None
    outcome_reason: str | None = None
    outcome_version: str | None = None
    concluded_at: datetime | None = None

    @property
    def fired(self) -> bool:
        """Whether the decision started a run."""
        return not self.held_back_by

    @property
    def suppressed_by(self) -> SuppressedBy | None:
        """What held the run back first."""
        return self.held_back_by[0] if self.held_back_by else None

    def to_json(self) -> dict[str, Any]:
        """Return the decision as operators see it and as it is kept, absent parts left out."""
        shown: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        shown |= {
            "fired": self.fired,
            "suppressed_by": self.suppressed_by,
            "held_back_by": list(self.held_back_by),
            "at": format_time(self.at),
            "concluded_at": format_time(self.concluded_at) if self.concluded_at else None,
            "signals": [signal.to_json() for signal in self.signals],
        }
        return {name: value for name, value in shown.items() if value is not None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Decision":
        """Return the decision that ``to_json`` showed."""
        known = {name: row[name] for name in cls.__slots__ if name in row}
        known |= {
            "at": parse_time(row["at"]),
            "cause": Cause(row["cause"]),
            "signals": tuple(map(Signal.from_json, row["signals"])),
            "held_back_by": tuple(map(SuppressedBy, row["held_back_by"])),
            "outcome": RunOutcome(row["outcome"]) if "outcome" in row else None,
            "concluded_at": parse_time(row["concluded_at"]) if "concluded_at" in row else None,
        }
        return cls(**known)
