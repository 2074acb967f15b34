"""What a label should be, written as plainly as possible and as slowly as it may be."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.capture.feedback import Feedback

BACKWARD = timedelta(minutes=2)


def expected_label(made: datetime, events: Sequence[Feedback], rules: list[dict[str, Any]], as_of: datetime) -> Any:
    """Return (value, status, event) under rules of keys event, window, positive_above, aggregate; and one default.

    The last element of ``rules`` may be {"default": value, "after": length, "exposure": bool}.
    """
    default = rules[-1] if "default" in rules[-1] else None
    rules = [rule for rule in rules if "event" in rule]
    seen = _seen(events, as_of)
    open_windows = [bool(rule["window"]) and as_of < made + rule["window"] for rule in rules]
    for position, rule in enumerate(rules):
        values = [e.value for e in seen if e.name == rule["event"] and _within(e, made, rule["window"])]
        values = [value for value in values if isinstance(value, int)]
        if values:
            picked = {"last": lambda v: v[-1], "first": lambda v: v[0], "sum": sum, "max": max}[rule["aggregate"]](
                values
            )
            status = "provisional" if any(open_windows[:position]) else "final"
            return int(picked > rule["above"]), status, rule["event"]
    if default is None:
        longest = max((rule["window"] for rule in rules if rule["window"]), default=None)
        return None, "censored" if longest and as_of >= made + longest else "pending", None
    if as_of < made + default["after"]:
        return None, "pending", None
    if default["exposure"] and not any(e.name == "exposed" and _within(e, made, default["after"]) for e in seen):
        return None, "censored", None
    return default["default"], "provisional" if any(open_windows) else "final", None


def _seen(events: Sequence[Feedback], as_of: datetime) -> list[Feedback]:
    received = sorted((e for e in events if e.received_at <= as_of), key=lambda e: (e.received_at, e.occurred_at))
    once: list[Feedback] = []
    for event in received:
        if event.feedback_id not in [other.feedback_id for other in once]:
            once.append(event)
    withdrawn = [event.value for event in once if event.name == "retracted"]
    kept = [event for event in once if event.name == "retracted" or event.feedback_id not in withdrawn]
    return sorted(kept, key=lambda e: (e.occurred_at, e.received_at, e.feedback_id))


def _within(event: Feedback, made: datetime, window: timedelta | None) -> bool:
    return made - BACKWARD <= event.occurred_at and (window is None or event.occurred_at <= made + window)
