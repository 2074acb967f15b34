"""Mapping of feedback values to label values, and the values that a rule can read."""

import math

from hindsight.config.documents.spelling import meant
from hindsight.config.labels import (
    EXPOSED,
    NUMERIC_AGGREGATES,
    RESERVED_EVENTS,
    Aggregate,
    Labels,
    LabelValue,
    MatchBy,
    Rule,
    Threshold,
    canonical_text,
)
from hindsight.config.metrics import Task
from hindsight.config.types import MAX_NUMBER
from hindsight.core.errors import Fault
from hindsight.entities.feedback import FeedbackValue

_TRUE = frozenset({"1", "true"})
_FALSE = frozenset({"0", "false"})
_BINARY = _TRUE | _FALSE
_ANSWERS = {**dict.fromkeys(_TRUE, "1"), **dict.fromkeys(_FALSE, "0")}


def unreadable_value(
    name: str, value: FeedbackValue, labels: Labels, task: Task, by: MatchBy = MatchBy.PREDICTION
) -> Fault | None:
    """Find why feedback could never become part of a label, None if it could.

    The fault's path is ``name`` or ``value``, within the event.

    >>> labels = Labels.model_validate({"rules": [{"event": "thumb", "map": {"up": 1, "down": 0}}]}, strict=False)
    >>> unreadable_value("thumb", "up", labels, Task.BINARY)
    >>> unreadable_value("thumb", "sideways", labels, Task.BINARY)
    Fault(path='value', message="is none of 'down', 'up'", line=None)
    """
    if by is not MatchBy.PREDICTION and by not in labels.keys:
        return Fault("name", f"is not declared; no rule of the model reads feedback by {by.value}")
    if name in RESERVED_EVENTS:
        fits = name == EXPOSED or (isinstance(value, str) and bool(value))
        return None if fits else Fault("value", "must be the feedback_id of the event to retract")
    named = [rule for rule in labels.rules if rule.event == name]
    rules = [rule for rule in named if rule.by is by]
    if not rules:
        other = f" by {by.value}" if named else meant(name, (rule.event for rule in labels.rules))
        return Fault("name", f"is not declared; no rule of the model reads {name!r}{other}")
    if any(can_read(rule, value, task) for rule in rules):
        return None
    return Fault("value", _expected(rules[0], task))


def can_read(rule: Rule, value: FeedbackValue, task: Task) -> bool:
    """Check whether a rule can make something of an event's value."""
    if rule.value is not None or rule.aggregate is Aggregate.COUNT:
        return True
    if value is None:
        return rule.aggregate is Aggregate.ANY and to_label(rule, True, task) is not None
    if rule.aggregate in NUMERIC_AGGREGATES:
        return isinstance(value, int | float)
    return to_label(rule, value, task) is not None


def to_label(rule: Rule, value: FeedbackValue, task: Task) -> LabelValue | None:
    """Compute the label value a rule's mapping gives a value, None if it gives none.

    Without a mapping the value itself is the label, if it fits the task.
    """
    if rule.value is not None:
        return fit_label(rule.value, task)
    if value is None:
        return None
    if rule.map is not None:
        mapped = rule.map.get(canonical_text(value))
        return None if mapped is None else fit_label(mapped, task)
    if rule.positive is not None:
        passed = _passes(rule.positive, value)
        return None if passed is None else int(passed)
    if rule.aggregate is Aggregate.ANY and task is Task.BINARY and isinstance(value, int | float):
        return int(value != 0)
    return fit_label(value, task)


def fit_label(value: LabelValue, task: Task) -> LabelValue | None:
    """Convert a value to a label of the task, None if it cannot be one: 0 or 1, a class's text, a bounded float.

    >>> fit_label(True, Task.BINARY), fit_label(2.0, Task.MULTICLASS), fit_label("2", Task.REGRESSION)
    (1, '2', None)
    """
    if task is Task.BINARY:
        text = canonical_text(value)
        return int(text in _TRUE) if text in _BINARY else None
    if task is Task.MULTICLASS:
        return canonical_text(value)
    if isinstance(value, bool | str) or not abs(value) <= MAX_NUMBER:
        return None
    return float(value)


def _passes(threshold: Threshold, value: LabelValue) -> bool | None:
    if threshold.equals is not None:
        return _are_equal(value, threshold.equals)
    if isinstance(value, str):
        return None
    above, least, below, most = threshold.greater_than, threshold.at_least, threshold.less_than, threshold.at_most
    return (
        (above is not None and value > above)
        or (least is not None and value >= least)
        or (below is not None and value < below)
        or (most is not None and value <= most)
    )


def _are_equal(value: LabelValue, other: LabelValue) -> bool:
    """Compare what is meant: true and 1 are the same answer; fractions come through sums and single precision."""
    if isinstance(value, float) and isinstance(other, float) and not other.is_integer():
        return math.isclose(value, other, rel_tol=1e-6)
    text, wanted = canonical_text(value), canonical_text(other)
    return _ANSWERS.get(text, text) == _ANSWERS.get(wanted, wanted)


def _expected(rule: Rule, task: Task) -> str:
    if rule.aggregate in NUMERIC_AGGREGATES or rule.positive is not None or task is Task.REGRESSION:
        return "must be a number"
    if rule.map is not None:
        known = sorted(rule.map)
        return f"is none of {', '.join(map(repr, known[:10]))}{', …' if len(known) > 10 else ''}"
    return "must be 0, 1, true or false" if task is Task.BINARY else "is required"
