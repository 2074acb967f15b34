"""Several values of one event become one."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from hindsight.config.labels import Aggregate, LabelValue, Rule
from hindsight.config.metrics import Task
from hindsight.config.types import MAX_NUMBER
from hindsight.entities.feedback import FeedbackValue
from hindsight.labels.mapping import can_read, to_label

_EXACT = 2**53
_LARGEST = Fraction(MAX_NUMBER)


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
    if rule.aggregate is Aggregate.MAJORITY:
        # By what they mean: true and 1 are the same answer.
        return majority([label for value in readable if (label := to_label(rule, value, task)) is not None])
    return to_label(rule, _REDUCTIONS[rule.aggregate](readable), task)


def majority(labels: Sequence[LabelValue]) -> LabelValue:
    """Find the label named most often; of several, the one named last.

    >>> majority(["cat", "dog", "dog", "cat", "bird"])
    'cat'
    """
    counts = Counter(labels)
    last = {label: position for position, label in enumerate(labels)}
    return max(counts, key=lambda label: (counts[label], last[label]))


def _total(values: Sequence[FeedbackValue]) -> Fraction:
    return sum(map(_exact, values), start=Fraction(0))


def _exact(value: FeedbackValue) -> Fraction:
    """Convert a number to a fraction: its sums are exact, in any order, and never overflow."""
    return Fraction(value) if isinstance(value, int | float) else Fraction(0)


def _number(value: Fraction) -> FeedbackValue:
    if value.denominator == 1 and -_EXACT <= value.numerator <= _EXACT:
        return int(value)
    # Not beyond what a label can be: without a label it would fall back to the default.
    return float(max(-_LARGEST, min(_LARGEST, value)))


_REDUCTIONS: Mapping[Aggregate, Callable[[Sequence[FeedbackValue]], FeedbackValue]] = {
    Aggregate.FIRST: lambda values: values[0],
    Aggregate.LAST: lambda values: values[-1],
    Aggregate.SUM: lambda values: _number(_total(values)),
    Aggregate.MEAN: lambda values: _number(_total(values) / len(values)),
    Aggregate.MAX: lambda values: max(values, key=_exact),
    Aggregate.MIN: lambda values: min(values, key=_exact),
    Aggregate.COUNT: len,
}
