"""The expected label of a prediction, written as plainly as possible and as slowly as it may be.

Nothing here is shared with the resolver but the events themselves. A rule is a dictionary of ``event``, ``kind``,
``window``, ``aggregate`` and at most one of ``above`` (a threshold), ``map`` and ``value``; a default one of ``value``,
``after`` and ``exposure``.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from hindsight.entities.feedback import Feedback

CLOCK_SKEW = timedelta(minutes=2)
NOTHING = object()


def expected_label(
    made: datetime,
    events: Sequence[Feedback],
    as_of: datetime,
    *,
    rules: list[dict[str, Any]],
    default: dict[str, Any] | None,
    task: str,
    gives: Callable[[Feedback, dict[str, Any]], bool] = lambda event, rule: True,
) -> tuple[Any, str, str | None, str | None, tuple[str, ...]]:
    """Compute (value, status, kind, event, disagreeing); ``gives`` says which events by a shared key are its own."""
    seen = _seen(events, as_of)
    said = [_said(rule, [e.value for e in seen if _matches(e, rule, made) and gives(e, rule)], task) for rule in rules]
    open_windows = [rule["window"] is not None and as_of < made + rule["window"] for rule in rules]
    for position, rule in enumerate(rules):
        if said[position] is not NOTHING:
            status = "provisional" if any(open_windows[:position]) else "final"
            others: list[str] = []
            for later in range(position + 1, len(rules)):
                disagrees = said[later] is not NOTHING and said[later] != said[position]
                if disagrees and rules[later]["event"] not in others:
                    others.append(rules[later]["event"])
            return said[position], status, rule["kind"], rule["event"], tuple(others)
    if default is None:
        windows = [rule["window"] for rule in rules if rule["window"] is not None]
        closed = bool(windows) and as_of >= made + max(windows)
        return None, "censored" if closed else "pending", None, None, ()
    if as_of < made + default["after"]:
        return None, "pending", None, None, ()
    exposures = [e for e in seen if e.name == "exposed" and gives(e, {"event": "exposed", "window": default["after"]})]
    exposed = [e for e in exposures if made - CLOCK_SKEW <= e.occurred_at <= made + default["after"]]
    if default["exposure"] and not exposed:
        return None, "censored", None, None, ()
    status = "provisional" if any(open_windows) else "final"
    return _fitted(default["value"], task), status, "default", None, ()


def _seen(events: Sequence[Feedback], as_of: datetime) -> list[Feedback]:
    received = [e for e in events if e.received_at <= as_of]
    received.sort(key=lambda e: (e.received_at, e.occurred_at, e.body_digest))
    once: list[Feedback] = []
    for event in received:
        if event.feedback_id not in [other.feedback_id for other in once]:
            once.append(event)
    retracted = [event.value for event in once if event.name == "retracted"]
    kept = [event for event in once if event.name == "retracted" or event.feedback_id not in retracted]
    return sorted(kept, key=lambda e: (e.occurred_at, e.received_at, e.feedback_id))


def _matches(event: Feedback, rule: dict[str, Any], made: datetime) -> bool:
    if event.name != rule["event"] or event.occurred_at < made - CLOCK_SKEW:
        return False
    return rule["window"] is None or event.occurred_at <= made + rule["window"]


def _said(rule: dict[str, Any], values: list[Any], task: str) -> Any:
    """Aggregate the values of a rule's matches, oldest first."""
    aggregate = rule["aggregate"]
    if "value" in rule:
        return _fitted(rule["value"], task) if values else NOTHING
    if aggregate == "count":
        return _mapped(len(values), rule, task, aggregate) if values else NOTHING
    if aggregate == "any":
        yes_if_bare = _mapped(True, rule, task, aggregate)
        answers = [yes_if_bare if value is None else _mapped(value, rule, task, aggregate) for value in values]
        answers = [answer for answer in answers if answer is not NOTHING]
        truthy = [answer for answer in answers if answer]
        return (truthy or answers or [NOTHING])[0]
    if aggregate in {"sum", "mean", "max", "min"}:
        return _computed([value for value in values if isinstance(value, int | float)], rule, task)
    return _picked([value for value in values if value is not None], rule, task)


def _computed(numbers: list[Any], rule: dict[str, Any], task: str) -> Any:
    aggregate = rule["aggregate"]
    if not numbers:
        return NOTHING
    exact = [Fraction(number) for number in numbers]
    if aggregate in {"max", "min"}:
        extreme = max(exact) if aggregate == "max" else min(exact)
        return _mapped(numbers[exact.index(extreme)], rule, task, "")
    total = sum(exact, Fraction(0))
    return _mapped(_plain(total if aggregate == "sum" else total / len(exact)), rule, task, "")


def _picked(values: list[Any], rule: dict[str, Any], task: str) -> Any:
    aggregate = rule["aggregate"]
    readable = [value for value in values if _mapped(value, rule, task, "") is not NOTHING]
    if not readable:
        return NOTHING
    if aggregate == "majority":
        meanings = [_mapped(value, rule, task, "") for value in readable]
        most = max(meanings.count(meaning) for meaning in meanings)
        return [meaning for meaning in meanings if meanings.count(meaning) == most][-1]
    return _mapped(readable[0] if aggregate == "first" else readable[-1], rule, task, "")


def _mapped(value: Any, rule: dict[str, Any], task: str, aggregate: str) -> Any:
    if "map" in rule:
        return _fitted(rule["map"][_text(value)], task) if _text(value) in rule["map"] else NOTHING
    if "above" in rule:
        return NOTHING if isinstance(value, str) else int(value > rule["above"])
    if aggregate == "any" and task == "binary" and not isinstance(value, str):
        return int(value != 0)
    return _fitted(value, task)


def _fitted(value: Any, task: str) -> Any:
    if task == "multiclass":
        return _text(value)
    if task == "binary":
        return {"0": 0, "1": 1, "false": 0, "true": 1}.get(_text(value), NOTHING)
    return NOTHING if isinstance(value, bool | str) else float(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)


def _plain(number: Fraction) -> Any:
    return int(number) if number.denominator == 1 else float(number)
