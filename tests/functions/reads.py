"""Operators' reads through the handler, and decisions to read."""

from datetime import timedelta

from functions.get_model.app import handler
from hindsight.bootstrap import stores
from hindsight.triggers.decision import BlockCode, Blocker, Decision
from hindsight.triggers.inputs import Cause
from hindsight.triggers.state import TriggerState
from tests.functions.requests import Answer, send
from tests.unit.training.world import START

MODEL = "bike-demand"


def get(path: str, **query: str) -> Answer:
    return send(handler, "get_model", path=f"/models/{path}", queryStringParameters=query or None)


def record_decisions(count: int) -> list[str]:
    """Blocked decisions, an hour between them, oldest first."""
    triggers = stores.trigger_store()
    names = [f"decision-{number}" for number in range(count)]
    for number, name in enumerate(names):
        decision = Decision(
            decision_id=name,
            model=MODEL,
            at=START + timedelta(hours=number),
            cause=Cause.SCHEDULE,
            reason="drift",
            signals=(),
            blocked_by=(Blocker(code=BlockCode.COOLDOWN, reason="the cooldown lasts", details={}),),
            explanation="Did not retrain because the cooldown lasts.",
        )
        assert triggers.record(decision, TriggerState(model=MODEL, version=number + 1), number)
    return names
