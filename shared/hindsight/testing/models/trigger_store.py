"""A trigger store in memory, judged by the same contract suite as DynamoTriggers."""

from dataclasses import replace
from datetime import datetime

from hindsight.triggers.decision import Decision
from hindsight.triggers.state import Conclusion, TriggerState, concluded, lease_extended, rolled_back, trusted


class InMemoryTriggers:
    """States by model, decisions in a list."""

    def __init__(self) -> None:
        self.states: dict[str, TriggerState] = {}
        self.stored: dict[tuple[str, datetime, str], Decision] = {}
        self.looks: dict[str, Decision] = {}

    def load(self, model: str) -> TriggerState:
        return self.states.get(model, TriggerState(model=model))

    def record(self, decision: Decision, state: TriggerState, expected_version: int) -> bool:
        if self.load(decision.model).version != expected_version:
            return False
        self.states[decision.model] = state
        self.stored[decision.model, decision.at, decision.decision_id] = decision
        return True

    def extend_lease(self, model: str, fencing_token: int, until: datetime) -> bool:
        after = lease_extended(self.load(model), fencing_token, until)
        if after is not None:
            self.states[model] = after
        return after is not None

    def conclude(self, model: str, fencing_token: int, conclusion: Conclusion) -> bool:
        before = self.load(model)
        after = concluded(before, fencing_token, conclusion)
        if after is None or before.open_run is None:
            return False
        key = (model, before.open_run.started_at, before.open_run.decision_id)
        self.states[model] = after
        self.stored[key] = replace(
            self.stored[key],
            outcome=conclusion.outcome,
            outcome_reason=conclusion.reason or None,
            outcome_version=conclusion.version,
            concluded_at=conclusion.at,
        )
        return True

    def note_rollback(self, model: str, at: datetime) -> bool:
        return self._replace(model, rolled_back(self.load(model), at))

    def note_trust(self, model: str, at: datetime) -> bool:
        return self._replace(model, trusted(self.load(model), at))

    def _replace(self, model: str, after: TriggerState | None) -> bool:
        if after is None:
            return False
        self.states[model] = after
        return True

    def note_look(self, look: Decision) -> None:
        kept = self.last_look(look.model)
        if kept is None or kept.at <= look.at:
            self.looks[look.model] = look

    def last_look(self, model: str) -> Decision | None:
        return self.looks.get(model)

    def decisions(self, model: str, limit: int) -> list[Decision]:
        of_model = sorted((at, decision_id) for name, at, decision_id in self.stored if name == model)
        return [self.stored[model, at, decision_id] for at, decision_id in reversed(of_model)][:limit]

    def decision(self, model: str, at: datetime, decision_id: str) -> Decision | None:
        return self.stored.get((model, at, decision_id))
