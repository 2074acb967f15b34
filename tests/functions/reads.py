"""Operators' reads through the handler, and decisions to read."""

from datetime import timedelta
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from functions.get_model.app import handler
from hindsight.bootstrap import stores
from hindsight.triggers.decision import BlockCode, Blocker, Decision
from hindsight.triggers.inputs import Cause
from hindsight.triggers.state import TriggerState
from local.openapi.document import document
from tests.functions.requests import Answer, send
from tests.unit.training.world import START

MODEL = "bike-demand"
PATHS = document()["paths"]


def get(path: str, **query: str) -> Answer:
    """Read a path below ``/models/``; an answer has the documented fields and no others."""
    status, answer = send(handler, "get_model", path=f"/models/{path}", queryStringParameters=query or None)
    if status == 200:
        check_documented(path, answer)
    return status, answer


def check_documented(path: str, answer: Any) -> None:
    """Require that an answer fits the schema of its route, every field of it."""
    parts = ["models", *path.split("/")]
    [route] = [one for one in PATHS if "get" in PATHS[one] and _leads_to(one.strip("/").split("/"), parts)]
    schema = PATHS[route]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    faults = [error.message for error in Draft202012Validator(_closed(schema)).iter_errors(answer)]
    assert faults == [], route


def _leads_to(route: list[str], parts: list[str]) -> bool:
    """Compare part by part; the model's name and ids stand for themselves."""
    return len(route) == len(parts) and all(
        own == part or own.startswith("{") for own, part in zip(route, parts, strict=True)
    )


def _closed(schema: Any) -> Any:
    """Allow no fields but those named, at any depth."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    return {**closed, "additionalProperties": False} if isinstance(schema.get("required"), list) else closed


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
