"""Scheduled events, of EventBridge Scheduler and of the functions that start themselves once for each model."""

import json
from collections.abc import Mapping
from typing import Any

from hindsight.core.errors import Fault, InvalidInput
from hindsight.core.fan_out import ScheduledEvent, Scope
from hindsight.core.times import parse_time


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
