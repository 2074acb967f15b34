"""Trigger states and decisions in the models table."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.core.codec import to_plain
from hindsight.core.times import format_time
from hindsight.triggers.decision import Decision
from hindsight.triggers.state import (
    OpenRun,
    RunResult,
    TriggerState,
    finalized,
    lease_extended,
    rollback_backoff_reset,
    rolled_back,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_STATE = "triggers"
_DECISION = "decision#"
_EVALUATION = "last-evaluation"


class DynamoTriggers:
    """One state item, one last evaluation and many decisions a model; see ``hindsight.triggers.store.TriggerStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)

    def load(self, model: str) -> TriggerState:
        """Read a model's state, a new one if it has none yet."""
        found = self._items.get(model, _STATE)
        return TriggerState(model=model) if found is None else TriggerState.from_plain(found)

    def record(self, decision: Decision, state: TriggerState, expected_version: int) -> bool:
        """Store a decision and the state it leads to, both or neither; False if another writer was faster."""
        key = _decision_key(decision.at, decision.decision_id)
        stored = self._items.overwrite(decision.model, key, decision.to_plain())
        return self._items.write([self._state(state, expected_version), {"Put": stored}])

    def extend_lease(self, model: str, fencing_token: int, until: datetime) -> bool:
        """Let the run of a token hold the lock until a moment, at least; False if it does not hold it (any more)."""
        # Through the state's version: a decision made from the state before would put the old lease back.
        return self._change(model, partial(lease_extended, fencing_token=fencing_token, until=until))

    def finalize_run(self, model: str, fencing_token: int, result: RunResult) -> bool:
        """Release the lock the token holds and record the result on the decision; False if it does not hold it."""

        def outcome(run: OpenRun) -> Any:
            values = {
                "outcome": result.outcome,
                "outcome_reason": result.reason or None,
                "outcome_version": result.version,
                "finished_at": result.at,
            }
            return self._items.set(model, _decision_key(run.started_at, run.decision_id), to_plain(values))

        return self._change(
            model,
            partial(finalized, fencing_token=fencing_token, result=result),
            lambda before: [outcome(before.open_run)] if before.open_run else [],
        )

    def record_rollback(self, model: str, at: datetime) -> bool:
        """Back off from a version that was rolled back at a moment; False if it was recorded before."""
        return self._change(model, partial(rolled_back, at=at))

    def reset_rollback_backoff(self, model: str, at: datetime) -> bool:
        """End the back-off from rollbacks; False where there is none to end."""
        return self._change(model, partial(rollback_backoff_reset, at=at))

    def decisions(self, model: str, limit: int, before: tuple[datetime, str] | None = None) -> list[Decision]:
        """List at most ``limit`` decisions, newest first, older than the one of a moment and an id."""
        key = None if before is None else _decision_key(*before)
        return [Decision.from_plain(found) for found in self._items.newest(model, _DECISION, limit, key)]

    def decision(self, model: str, at: datetime, decision_id: str) -> Decision | None:
        """Find one decision, None if there is none."""
        return self._decision(model, _decision_key(at, decision_id))

    def record_evaluation(self, evaluation: Decision) -> None:
        """Keep what a scheduled evaluation decided, unless a later one is kept: a replayed one must not hide it."""
        self._items.put_if_newer(evaluation.model, _EVALUATION, evaluation.to_plain(), attribute="at")

    def last_evaluation(self, model: str) -> Decision | None:
        """Find what the newest scheduled evaluation decided, None before the first."""
        return self._decision(model, _EVALUATION)

    def _decision(self, model: str, sort_key: str) -> Decision | None:
        found = self._items.get(model, sort_key)
        return None if found is None else Decision.from_plain(found)

    def _change(
        self,
        model: str,
        change: Callable[[TriggerState], TriggerState | None],
        beside: Callable[[TriggerState], list[Any]] = lambda _: [],
    ) -> bool:
        """Change the state, and what is ``beside`` it, both or neither; False where there is nothing to change."""

        def attempt() -> bool | None:
            before = self.load(model)
            after = change(before)
            return None if after is None else self._items.write([self._state(after, before.version), *beside(before)])

        return self._items.change(attempt, f"the trigger state of {model!r}")

    def _state(self, state: TriggerState, expected_version: int) -> Any:
        # Two evaluations at once both see no open run; the one whose version is taken loses, and decides again.
        values = state.to_plain()
        return self._items.versioned(state.model, _STATE, values, attribute="version", expected=expected_version)


def _decision_key(at: datetime, decision_id: str) -> str:
    return f"{_DECISION}{format_time(at)}#{decision_id}"
