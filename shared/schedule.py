"""EventBridge's scheduled events: the moment a scheduled function works at, and the model it is narrowed to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from shared.errors import Fault, InvalidInput
from shared.times import parse_time

T = TypeVar("T")


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


def in_turn(values: Sequence[T], now: datetime, *, every: timedelta) -> list[T]:
    """Return the values, every sweep beginning with another one: a backlog of one must not starve the others.

    >>> from datetime import UTC
    >>> hour = timedelta(hours=1)
    >>> [in_turn("abc", datetime.fromtimestamp(3600 * n, UTC), every=hour)[0] for n in range(4)]
    ['a', 'b', 'c', 'a']
    """
    if not values:
        return []
    first = int(now.timestamp() // every.total_seconds()) % len(values)
    return [*values[first:], *values[:first]]
