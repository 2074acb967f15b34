"""Where trigger states and decisions are kept."""

from datetime import datetime
from typing import Protocol

from hindsight.triggers.decision import Decision
from hindsight.triggers.state import Conclusion, TriggerState


class DecisionStore(Protocol):
    """Decisions, append-only."""

    def decisions(self, model: str, limit: int) -> list[Decision]:
        """Return at most ``limit`` decisions, newest first."""

    def decision(self, model: str, at: datetime, decision_id: str) -> Decision | None:
        """Return one decision, None if there is none."""

    def last_look(self, model: str) -> Decision | None:
        """Return what the newest scheduled check decided, recorded or not; None before the first."""


class TriggerStore(DecisionStore, Protocol):
    """The state of every model's triggers; every change is conditional on the state it was made from."""

    def load(self, model: str) -> TriggerState:
        """Return a model's state, a new one if it has none yet."""

    def record(self, decision: Decision, state: TriggerState, expected_version: int) -> bool:
        """Store a decision and the state it leads to, both or neither.

        Returns False, and stores nothing, if the stored state is no longer of the expected version.
        """

    def note_look(self, look: Decision) -> None:
        """Keep what a scheduled check decided in place of the one before, unless that is of a later moment."""

    def extend_lease(self, model: str, fencing_token: int, until: datetime) -> bool:
        """Let the run of a token hold the lock until a moment, at least.

        Returns False, and changes nothing, if it does not hold it (any more). Raises Unavailable if others keep
        changing the state.
        """

    def conclude(self, model: str, fencing_token: int, conclusion: Conclusion) -> bool:
        """Release the lock the token holds and note the outcome on the run's decision, both or neither.

        Returns False, and changes nothing, if the token does not hold the lock (any more): the run was concluded
        before, or its lease expired and another took over. Raises Unavailable if others keep changing the state.
        """

    def note_rollback(self, model: str, at: datetime) -> bool:
        """Back off, as after a rejection, from a version that passed the gate and was taken back at a moment.

        Returns False, and changes nothing, if it was noted before. Raises Unavailable if others keep changing the
        state.
        """

    def note_trust(self, model: str, at: datetime) -> bool:
        """End the back-off from rollbacks, since a version has proved itself in service by a moment.

        Returns False, and changes nothing, where there is none to end. Raises Unavailable if others keep changing the
        state.
        """
