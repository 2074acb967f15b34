"""The store of trigger states and decisions."""

from datetime import datetime
from typing import Protocol

from hindsight.triggers.decision import Decision
from hindsight.triggers.state import RunResult, TriggerState


class DecisionStore(Protocol):
    """Decisions, append-only."""

    def decisions(self, model: str, limit: int, before: tuple[datetime, str] | None = None) -> list[Decision]:
        """List at most ``limit`` decisions, newest first, older than the one of a moment and an id."""

    def decision(self, model: str, at: datetime, decision_id: str) -> Decision | None:
        """Find one decision, None if there is none."""

    def last_evaluation(self, model: str) -> Decision | None:
        """Find what the newest scheduled evaluation decided, recorded or not; None before the first."""


class TriggerStore(DecisionStore, Protocol):
    """The state of every model's triggers; every change is conditional on the state it was made from.

    A change raises Unavailable if other writers keep changing the state.
    """

    def load(self, model: str) -> TriggerState:
        """Read a model's state, a new one if it has none yet."""

    def record(self, decision: Decision, state: TriggerState, expected_version: int) -> bool:
        """Store a decision and the state it leads to, both or neither.

        Returns False, and stores nothing, if the stored state is no longer of the expected version.
        """

    def record_evaluation(self, evaluation: Decision) -> None:
        """Keep what a scheduled evaluation decided in place of the previous one, unless that is of a later moment."""

    def extend_lease(self, model: str, fencing_token: int, until: datetime) -> bool:
        """Let the run of a token hold the lock until a moment, at least.

        Returns False, and changes nothing, if it does not hold it (any more).
        """

    def finalize_run(self, model: str, fencing_token: int, result: RunResult) -> bool:
        """Release the lock the token holds and record the result on the run's decision, both or neither.

        Returns False, and changes nothing, if the token does not hold the lock (any more): the run was finalized
        before, or its lease expired and another took over.
        """

    def record_rollback(self, model: str, at: datetime) -> bool:
        """Back off, as after a rejection, from a version that passed the gate and was rolled back at a moment.

        Returns False, and changes nothing, if it was recorded before.
        """

    def reset_rollback_backoff(self, model: str, at: datetime) -> bool:
        """End the back-off from rollbacks, since a version has proved itself in service by a moment.

        Returns False, and changes nothing, where there is none to end.
        """
