"""Decisions for the tests of triggers."""

from hindsight.config.triggers import Triggers
from hindsight.triggers.decision import Decision
from hindsight.triggers.inputs import TriggerInputs
from hindsight.triggers.state import (
    RunOutcome,
    RunResult,
    TriggerState,
    finalized,
)
from tests.unit.triggers.builders import (
    evaluate,
)


def decided(rules: Triggers, state: TriggerState, seen: TriggerInputs) -> Decision:
    return evaluate(rules, state, seen)[0]


def run_and_end(state: TriggerState, outcome: RunOutcome, rules: Triggers, seen: TriggerInputs) -> TriggerState:
    decision, after = evaluate(rules, state, seen)
    assert decision.triggered
    ended = finalized(after, after.fencing_token, RunResult(outcome=outcome, at=seen.now))
    assert ended is not None
    return ended
