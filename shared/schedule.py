"""EventBridge's scheduled events: the moment a scheduled function works at, and the model it is narrowed to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.errors import Fault, InvalidInput
from shared.times import parse_time


@dataclass(frozen=True, slots=True)
class Tick:
    """One scheduled event; without a model it is for all of them."""

    now: datetime
    event_id: str
    model: str | None = None


def parse_tick(event: Mapping[str, Any]) -> Tick:
    """Return the moment in the event's ``time``, and the model its ``detail`` may name.

    EventBridge Scheduler sends ``detail`` as JSON text, EventBridge rules as an object.
    Raises InvalidInput for an event without a time.

    >>> parse_tick({"time": "2026-03-01T12:00:00Z", "detail": "{}"}).model is None
    True
    """
    if "time" not in event:
        raise InvalidInput("time is required", (Fault("time", "is required"),))
    detail = event.get("detail") or {}
    if isinstance(detail, str):
        detail = json.loads(detail)
    return Tick(parse_time(event["time"]), str(event.get("id", "")), detail.get("model"))
