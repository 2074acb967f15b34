"""A trigger store in memory, judged by the same contract suite as DynamoTriggers."""

from datetime import datetime

from hindsight.triggers.decision import Decision
from hindsight.triggers.state import (
    RunResult,
    TriggerState,
    finalized,
    lease_extended,
    rollback_backoff_reset,
    rolled_back,
)


class InMemoryTriggers:
    """States by model, decisions in a list."""

    def __init__(self) -> None:
        self.states: dict[str, TriggerState] = {}
        self.stored: dict[tuple[str, datetime, str], Decision] = {}
        self.evaluations: dict[str, Decision] = {}

    def load(self, model: str) -> TriggerState:
        return self.states.get(model, TriggerState(model=model))

    def record(self, decision: Decision, state: TriggerState, expected_version: int) -> bool:
        if self.load(decision.model).version != expected_version:
            return False
        self.states[decision.model] = state
        self.stored[decision.model, decision.at, decision.decision_id] = decision
        return True

    def extend_lease(self, model: str, fencing_token: int, until: datetime) -> bool:
        return self._replace(model, lease_extended(self.load(model), fencing_token, until))

    def finalize_run(self, model: str, fencing_token: int, result: RunResult) -> bool:
        before = self.load(model)
        if not self._replace(model, finalized(before, fencing_token, result)) or before.open_run is None:
            return False
        key = (model, before.open_run.started_at, before.open_run.decision_id)
        self.stored[key] = self.stored[key].replace(
            outcome=result.outcome,
            outcome_reason=result.reason or None,
            outcome_version=result.version,
            finished_at=result.at,
        )
        return True

    def record_rollback(self, model: str, at: datetime) -> bool:
        return self._replace(model, rolled_back(self.load(model), at))

    def reset_rollback_backoff(self, model: str, at: datetime) -> bool:
        return self._replace(model, rollback_backoff_reset(self.load(model), at))

    def _replace(self, model: str, after: TriggerState | None) -> bool:
        if after is None:
            return False
        self.states[model] = after
        return True

    def record_evaluation(self, evaluation: Decision) -> None:
        kept = self.last_evaluation(evaluation.model)
        if kept is None or kept.at <= evaluation.at:
            self.evaluations[evaluation.model] = evaluation

    def last_evaluation(self, model: str) -> Decision | None:
        return self.evaluations.get(model)

    def decisions(self, model: str, limit: int, before: tuple[datetime, str] | None = None) -> list[Decision]:
        of_model = sorted(
            (at, decision_id)
            for name, at, decision_id in self.stored
            if name == model and (before is None or (at, decision_id) < before)
        )
        return [self.stored[model, at, decision_id] for at, decision_id in reversed(of_model)][:limit]

    def decision(self, model: str, at: datetime, decision_id: str) -> Decision | None:
        return self.stored.get((model, at, decision_id))
