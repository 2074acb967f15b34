"""Events that make a function work on models: their moment, and the models they are narrowed to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hindsight.core.errors import Fault, InvalidInput
from hindsight.core.times import parse_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The models an event is for: one, or a share of its work; those behind one in the order of their names; or all."""

    model: str | None = None
    after: str = ""
    share: int | None = None


@dataclass(frozen=True, slots=True)
class ScheduledEvent:
    """One scheduled event for one model, or for a share of its work."""

    now: datetime
    event_id: str
    model: str
    share: int | None = None


def parse_scope(event: Mapping[str, Any]) -> Scope:
    """Read the models that an event's ``detail`` names; without one it is for all of them.

    EventBridge Scheduler sends ``detail`` as JSON text, EventBridge rules as an object.

    >>> parse_scope({"detail": "{}"}), parse_scope({"detail": {"model": "m"}}).model
    (Scope(model=None, after='', share=None), 'm')
    """
    detail = event.get("detail") or {}
    if isinstance(detail, str):
        detail = json.loads(detail)
    return Scope(model=detail.get("model"), after=detail.get("after", ""), share=detail.get("share"))


def parse_scheduled_event(event: Mapping[str, Any]) -> ScheduledEvent:
    """Read the moment in the event's ``time``, and the model its ``detail`` names.

    Raises InvalidInput for an event without a time or a model.
    """
    scope = parse_scope(event)
    model = scope.model
    faults = [
        Fault(path, "is required")
        for path, given in (("time", event.get("time")), ("detail.model", model))
        if not given
    ]
    if faults or model is None:
        raise InvalidInput(", ".join(f"{fault.path} is required" for fault in faults), tuple(faults))
    return ScheduledEvent(parse_time(event["time"]), str(event.get("id", "")), model, scope.share)
