"""How sure a measured metric is: bounds that each hold at a confidence of their own."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from shared.configuration.metrics import Metric, Task
from shared.monitoring.metrics import Values, evaluate

RESAMPLES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A metric on n labels with its bounds; None where it is undefined."""

    labels: int
    value: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class LabelledAnswers:
    """Labels with the decisions and scores given before they came, as arrays of shape (n,)."""

    task: Task
    labels: Values
    decisions: Values
    scores: Values

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, chosen: Values) -> "LabelledAnswers":
        """Return some of the rows, by a mask or by indices."""
        return LabelledAnswers(self.task, self.labels[chosen], self.decisions[chosen], self.scores[chosen])

    def measure(self, metric: Metric, weights: Values | None = None) -> float | None:
        """Return a metric's value, None where it is undefined."""
        return evaluate(metric, self.task, self.labels, self.decisions, self.scores, weights=weights)


def estimate(answers: LabelledAnswers, metric: Metric, confidence: float, rng: np.random.Generator) -> Estimate:
    """Return a metric with the lower and the upper bound that each hold at ``confidence``.

    Wilson's score bounds (1927) for accuracy, which hold for few rows and near one; the percentile bootstrap (Efron,
    1979) for the others. Resamples on which the metric is undefined are left out.
    """
    value = answers.measure(metric)
    if value is None:
        return Estimate(labels=len(answers))
    if metric is Metric.ACCURACY:
        lower, upper = wilson_bounds(value, len(answers), confidence)
        return Estimate(labels=len(answers), value=value, lower=lower, upper=upper)
    counts = rng.multinomial(len(answers), np.full(len(answers), 1 / len(answers)), size=RESAMPLES)
    drawn = [found for weights in counts if (found := answers.measure(metric, weights)) is not None]
    lower, upper = np.quantile(drawn or [value], [1 - confidence, confidence])
    return Estimate(labels=len(answers), value=value, lower=float(lower), upper=float(upper))


def wilson_bounds(share: float, rows: int, confidence: float) -> tuple[float, float]:
    """Return Wilson's lower and upper bound of a share seen in ``rows`` rows, each one-sided at ``confidence``.

    >>> [round(bound, 3) for bound in wilson_bounds(0.9, 100, 0.95)]
    [0.84, 0.939]
    """
    deviate = float(ndtri(confidence))
    squared = deviate**2 / rows
    centre = (share + squared / 2) / (1 + squared)
    reach = deviate / (1 + squared) * np.sqrt(share * (1 - share) / rows + squared / (4 * rows))
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))
