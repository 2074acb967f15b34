"""Expected metrics from a profile: from its scores by decision, or from its sample of rows."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hindsight.config.metrics import Metric, Task
from hindsight.core.errors import UnusableArtifact
from hindsight.evaluation.confidence_interval import bounds
from hindsight.evaluation.influence import MetricInfluence, measure_influence
from hindsight.evaluation.metrics import Floats, as_numbers, as_targets
from hindsight.evaluation.weights import effective_rows
from hindsight.monitoring.estimation.estimator import ABSOLUTE, SQUARED, Estimator, LossPredictor, expected_predictions
from hindsight.profiles.distribution import Distribution
from hindsight.profiles.profile import Profile

_DEVIATIONS_IN_RANK_ERROR = 2.576  # rank errors are given at 99 %


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedMetric:
    """The expected value of a metric, with bounds that each hold at the policy's confidence.

    They allow for the window's size (``sampling_error``) and the holdout's (``holdout_error``), both standard errors;
    ``sketch_error`` is the error that the profile's sketches add.
    """

    value: float
    lower: float | None
    upper: float | None
    sampling_error: float
    holdout_error: float
    sketch_error: float


class Expectations(Protocol):
    """The expected metrics of a window's predictions."""

    @property
    def rows(self) -> float:
        """The number of predictions that can be read."""

    def expect(self, metric: Metric, tail: float) -> ExpectedMetric | None:
        """Estimate a metric with bounds that each fail in a share ``tail`` of windows, None where it is undefined."""


def expectations(window: Profile, estimator: Estimator, losses: LossPredictor | None) -> Expectations:
    """Build the expectations of a window. Raises UnusableArtifact for a regression without a model of its errors."""
    if estimator.task is not Task.REGRESSION:
        return _ScoreExpectations(window, estimator)
    if losses is None:
        raise UnusableArtifact("there is none")
    return _SampleExpectations(window, estimator, losses)


class _ScoreExpectations:
    """Expectations over the scores that a profile keeps for each decision."""

    def __init__(self, window: Profile, estimator: Estimator) -> None:
        self._estimator = estimator
        self._found = _points(window, estimator)

    @property
    def rows(self) -> float:
        return sum(points.rows for _, points in self._found)

    def expect(self, metric: Metric, tail: float) -> ExpectedMetric | None:
        task = self._estimator.task
        if not self._found or metric not in self._estimator.metrics:
            return None
        scores = np.concatenate([points.values for _, points in self._found])
        decisions = np.concatenate([np.full(len(points.values), decision) for decision, points in self._found])
        counts = np.concatenate([points.weights for _, points in self._found])
        predictions = expected_predictions(
            task, scores, decisions, self._estimator.probabilities(scores), counts=counts
        )
        value = predictions.measure(metric)
        if value is None:
            return None
        linear, holdout = measure_influence(metric, predictions), self._estimator.metrics[metric].standard_error
        return _expected(
            metric, value, linear, effective=self.rows, tail=tail, holdout=holdout, sketch=self._sketch_error()
        )

    def _sketch_error(self) -> float:
        """Compute the error of a mean of probabilities: the error of a rank, times their range."""
        total, squares = self.rows, 0.0
        for _, points in self._found:
            least, most = self._estimator.probabilities(points.values[[0, -1]]).tolist()
            squares += (points.rows / total * (most - least) * points.rank_error / _DEVIATIONS_IN_RANK_ERROR) ** 2
        return float(np.sqrt(squares))


def _points(window: Profile, estimator: Estimator) -> list[tuple[float | str, Distribution]]:
    """Read the scores by decision in effective rows, without those that are none of the task's decisions."""
    found, heaviest = [], window.score.heaviest
    for text, sketch in window.score_by_decision.items():
        decision = as_targets([text], estimator.task)[0]
        if sketch.rows and (estimator.task is Task.MULTICLASS or np.isfinite(decision)):
            found.append(
                (text if estimator.task is Task.MULTICLASS else float(decision), sketch.distribution(heaviest))
            )
    return found


class _SampleExpectations:
    """Expectations over the sample of rows that a profile keeps."""

    def __init__(self, window: Profile, estimator: Estimator, losses: LossPredictor) -> None:
        self._estimator, self._window = estimator, window
        scored = [row for row in window.sample.rows if np.isfinite(as_numbers([row["score"]])[0])]
        self._losses = losses.losses(scored) if scored else {}
        self._weights = np.array([row.get("weight", 1.0) for row in scored])

    @property
    def rows(self) -> float:
        return self._window.score.present / self._window.score.heaviest if self._losses else 0.0

    def expect(self, metric: Metric, tail: float) -> ExpectedMetric | None:
        known = self._estimator.metrics.get(metric)
        losses = self._losses.get(SQUARED if metric is Metric.RMSE else ABSOLUTE)
        if known is None or losses is None or not len(losses) or not np.isfinite(losses).all():
            return None
        mean, variance = _mean(losses, self._weights)
        # Which rows were sampled, and how each error differs from what is expected of it.
        variance += known.spread**2 / self.rows
        value = float(np.sqrt(mean)) if metric is Metric.RMSE else mean
        slope = (1 / (2 * value) if value else 0.0) if metric is Metric.RMSE else 1.0
        linear = MetricInfluence(value, variance * slope**2, np.array([]))
        effective = effective_rows(self._weights)
        return _expected(metric, value, linear, effective=effective, tail=tail, holdout=known.standard_error)


def _mean(values: Floats, weights: Floats) -> tuple[float, float]:
    """Compute a weighted mean and its variance for values that were sampled independently."""
    if np.ptp(weights) == 0.0:
        return float(values.mean()), float(values.var()) / len(values)
    shares = weights / weights.sum()
    mean = float(shares @ values)
    return mean, float(np.square(shares) @ np.square(values - mean))


def _expected(
    metric: Metric,
    value: float,
    linear: MetricInfluence,
    *,
    effective: float,
    tail: float,
    holdout: float,
    sketch: float = 0.0,
) -> ExpectedMetric:
    lower, upper = bounds(metric, value, linear, effective, tail, more_variance=holdout**2 + sketch**2)
    return ExpectedMetric(
        value=value,
        lower=lower,
        upper=upper,
        sampling_error=float(np.sqrt(linear.variance)),
        holdout_error=holdout,
        sketch_error=sketch,
    )
