"""Several values of one event become one."""

import sys
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from hindsight.config.labels import Aggregate, LabelValue, Rule, canonical_text
from hindsight.config.metrics import Task
from hindsight.entities.feedback import FeedbackValue
from hindsight.labels.mapping import can_read, to_label

_EXACT = 2**53


def rule_label(rule: Rule, values: Sequence[FeedbackValue], task: Task) -> LabelValue | None:
    """Compute the label value a rule makes of its matches, oldest first; None if it makes none of them.

    Values the rule cannot read are passed over. ``any`` asks each value on its own, so that with
    ``positive: {greater_than: 100}`` it is whether any value exceeded 100; the others map what they reduce to.
    """
    readable = [value for value in values if can_read(rule, value, task)]
    if not readable:
        return None
    if rule.aggregate is Aggregate.ANY:
        mapped = [to_label(rule, True if value is None else value, task) for value in readable]
        return next((label for label in mapped if label), mapped[0])
    return to_label(rule, _REDUCTIONS[rule.aggregate](readable), task)


def majority(values: Sequence[FeedbackValue]) -> FeedbackValue:
    """Find the value named most often; of several, the one named last.

    >>> majority(["cat", "dog", "dog", "cat", "bird"])
    'cat'
    """
    counts: dict[str, int] = {}
    last: dict[str, int] = {}
    for position, value in enumerate(values):
        text = canonical_text(value)
        counts[text] = counts.get(text, 0) + 1
        last[text] = position
    return values[last[max(counts, key=lambda text: (counts[text], last[text]))]]


def _total(values: Sequence[FeedbackValue]) -> Fraction:
    return sum(map(_exact, values), start=Fraction(0))


def _exact(value: FeedbackValue) -> Fraction:
    """Convert a number to a fraction: its sums are exact, whatever their order, and never overflow."""
    return Fraction(value) if isinstance(value, int | float) else Fraction(0)


def _number(value: Fraction) -> FeedbackValue:
    if value.denominator == 1 and -_EXACT <= value.numerator <= _EXACT:
        return int(value)
    try:
        return float(value)
    except OverflowError:
        # Not infinity, which no label can be: without a label it would fall back to the default.
        return sys.float_info.max if value > 0 else -sys.float_info.max


_REDUCTIONS: Mapping[Aggregate, Callable[[Sequence[FeedbackValue]], FeedbackValue]] = {
    Aggregate.FIRST: lambda values: values[0],
    Aggregate.LAST: lambda values: values[-1],
    Aggregate.SUM: lambda values: _number(_total(values)),
    Aggregate.MEAN: lambda values: _number(_total(values) / len(values)),
    Aggregate.MAX: lambda values: max(values, key=_exact),
    Aggregate.MIN: lambda values: min(values, key=_exact),
    Aggregate.COUNT: len,
    Aggregate.MAJORITY: majority,
}
