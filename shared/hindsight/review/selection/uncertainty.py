"""Uncertainty of a prediction, by its own score (Settles, 2009, section 3.1)."""

import math
from collections.abc import Mapping

from hindsight.config.metrics import Task
from hindsight.config.review import ReviewStrategy


def uncertainty(strategy: ReviewStrategy, score: float, probabilities: Mapping[str, float] | None, task: Task) -> float:
    """Compute how uncertain a prediction is, from 0 (sure) to 1 (all classes alike).

    Of two classes, ``least_confidence`` and ``margin`` are the same number, and ``entropy`` orders alike. A multiclass
    prediction that came without ``probabilities`` is read as the decided class against all others as one rival. The
    score of a regression does not show its error: all its predictions are equally uncertain.

    >>> uncertainty(ReviewStrategy.MARGIN, 0.9, None, Task.BINARY)
    0.2
    """
    if task is Task.REGRESSION:
        return 1.0
    chances = _chances(score, probabilities, task)
    return round(min(1.0, max(0.0, _MEASURES[strategy](chances))), 12)


def _chances(score: float, probabilities: Mapping[str, float] | None, task: Task) -> list[float]:
    """Compute the classes' probabilities, largest first, with a sum of 1."""
    if task is Task.MULTICLASS and probabilities and len(probabilities) > 1:
        values = sorted((max(0.0, value) for value in probabilities.values()), reverse=True)
        total = sum(values)
        return [value / total for value in values] if total > 0 else [1 / len(values)] * len(values)
    likelier = max(score, 1 - score) if task is Task.BINARY else max(score, 0.5)
    likelier = min(1.0, likelier)
    return [likelier, 1 - likelier]


def _least_confidence(chances: list[float]) -> float:
    return (1 - chances[0]) * len(chances) / (len(chances) - 1)


def _margin(chances: list[float]) -> float:
    return 1 - (chances[0] - chances[1])


def _entropy(chances: list[float]) -> float:
    return -sum(chance * math.log(chance) for chance in chances if chance > 0) / math.log(len(chances))


_MEASURES = {
    ReviewStrategy.LEAST_CONFIDENCE: _least_confidence,
    ReviewStrategy.MARGIN: _margin,
    ReviewStrategy.ENTROPY: _entropy,
}
