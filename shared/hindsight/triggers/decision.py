"""A trigger decision as it is kept: a run triggered or blocked, with everything the evaluation found."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import field

from hindsight.core.codec import Record
from hindsight.triggers.inputs import Cause
from hindsight.triggers.state import RunOutcome
from hindsight.triggers.status import SignalStatus


class BlockCode(StrEnum):
    """The condition that blocks a run; a decision lists them in this order."""

    NO_SIGNAL = "no_signal"
    COMBINATION = "combination"
    OPEN_RUN = "open_run"
    SERVED_ELSEWHERE = "served_elsewhere"
    UNDECIDED_ROLLOUT = "undecided_rollout"
    RELABELLING = "relabelling"
    COOLDOWN = "cooldown"
    BACK_OFF = "back_off"
    RUN_BUDGET = "run_budget"
    MIN_NEW_LABELS = "min_new_labels"


class Blocker(Record):
    """One thing that blocks a run: in words, and with the numbers that show when it ends."""

    code: BlockCode
    reason: str
    details: dict[str, Any]


class Decision(Record):
    """One decision, complete: no other record is needed to understand it.

    ``signals`` has every kind, active or not; ``explanation`` is the same as a sentence. ``actor`` is who asked for
    it, absent where no caller did. ``outcome`` and what follows it are added when the run that a decision triggered has
    finished.
    """

    decision_id: str
    model: str
    at: datetime
    cause: Cause
    reason: str
    signals: tuple[SignalStatus, ...]
    blocked_by: tuple[Blocker, ...]
    explanation: str
    new_labels: int | None = None
    policy: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    forced: bool = False
    actor: str | None = None
    fencing_token: int | None = None
    outcome: RunOutcome | None = None
    outcome_reason: str | None = None
    outcome_version: str | None = None
    finished_at: datetime | None = None

    @property
    def triggered(self) -> bool:
        """True if the decision started a run."""
        return not self.blocked_by

    @property
    def active_signals(self) -> tuple[SignalStatus, ...]:
        """The signals that ask for a run, by kind."""
        return tuple(sorted((signal for signal in self.signals if signal.active), key=lambda signal: signal.kind))

    @property
    def block_codes(self) -> tuple[BlockCode, ...]:
        """The codes of all that blocks the run."""
        return tuple(blocker.code for blocker in self.blocked_by)

    def to_plain(self) -> dict[str, Any]:
        """Convert to plain values, with ``triggered`` among them."""
        return {**super().to_plain(), "triggered": self.triggered}
