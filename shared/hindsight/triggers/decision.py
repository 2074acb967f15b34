"""A trigger decision as it is kept: fired or suppressed, with everything it saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hindsight.core.times import format_time, parse_time
from hindsight.triggers.considered import Consideration
from hindsight.triggers.obstacles import Obstacle
from hindsight.triggers.signal import Signal
from hindsight.triggers.state import RunOutcome
from hindsight.triggers.suppression import SuppressedBy


class Cause(StrEnum):
    """What made Hindsight decide."""

    SCHEDULE = "schedule"
    ALARM = "alarm"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision, told so that no other record is needed to understand it.

    ``signals`` is the whole demand it saw, ``considered`` every kind of signal, those that do not stand with why not,
    ``obstacles`` everything that stood against a run, and ``explanation`` the same as a sentence.
    ``outcome`` and ``outcome_reason`` are added when the run a fired decision started has ended.
    """

    decision_id: str
    model: str
    at: datetime
    cause: Cause
    reason: str
    signals: tuple[Signal, ...]
    obstacles: tuple[Obstacle, ...] = ()
    considered: tuple[Consideration, ...] = ()
    explanation: str = ""
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
        return not self.obstacles

    @property
    def held_back_by(self) -> tuple[SuppressedBy, ...]:
        """The names of all that held the run back."""
        return tuple(obstacle.by for obstacle in self.obstacles)

    @property
    def suppressed_by(self) -> SuppressedBy | None:
        """What held the run back first."""
        return self.obstacles[0].by if self.obstacles else None

    def to_json(self) -> dict[str, Any]:
        """Return the decision as operators see it and as it is kept, absent parts left out."""
        shown: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        shown |= {
            "fired": self.fired,
            "suppressed_by": self.suppressed_by,
            "held_back_by": list(self.held_back_by),
            "obstacles": [obstacle.to_json() for obstacle in self.obstacles],
            "considered": [kind.to_json() for kind in self.considered],
            "at": format_time(self.at),
            "concluded_at": format_time(self.concluded_at) if self.concluded_at else None,
            "signals": [signal.to_json() for signal in self.signals],
        }
        return {name: value for name, value in shown.items() if value is not None}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Decision":
        """Return the decision that ``to_json`` showed; one kept by an earlier release has only the obstacles' names."""
        named = [{"by": name} for name in row["held_back_by"]]
        known = {name: row[name] for name in cls.__slots__ if name in row}
        known |= {
            "at": parse_time(row["at"]),
            "cause": Cause(row["cause"]),
            "signals": tuple(map(Signal.from_json, row["signals"])),
            "obstacles": tuple(map(Obstacle.from_json, row.get("obstacles", named))),
            "considered": tuple(map(Consideration.from_json, row.get("considered", ()))),
            "outcome": RunOutcome(row["outcome"]) if "outcome" in row else None,
            "concluded_at": parse_time(row["concluded_at"]) if "concluded_at" in row else None,
        }
        return cls(**known)
