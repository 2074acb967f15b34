"""Estimated performance: what predictions are worth, before their labels come.

From a profile, so that its cost does not grow with the predictions: confidence-based performance estimation (CBPE) for
classifiers, direct loss estimation (DLE) for regression.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from shared.configuration.metrics import Metric, Task
from shared.configuration.model import ModelConfiguration
from shared.errors import UnusableArtifact
from shared.monitoring.answers import LabelledAnswers
from shared.monitoring.check import Verdict
from shared.monitoring.estimator import ABSOLUTE, ESTIMABLE, SQUARED, Estimator, LossPredictor, expected_answers
from shared.monitoring.interval import bounds
from shared.monitoring.linearisation import Linearisation, linearise
from shared.monitoring.measurement import Measurement, storable
from shared.monitoring.metrics import as_numbers, as_targets
from shared.monitoring.performance_limit import performance_limit
from shared.monitoring.reconciliation import Reconciliation
from shared.profiles.distribution import Distribution
from shared.profiles.profile import Profile

ASSUMPTION = (
    "holds if scores still mean what they meant on the holdout: a change in how outcomes follow from features "
    "(concept drift) is not seen"
)
ESTIMATED = "EstimatedPerformance"
ESTIMATED_SHORTFALL = "EstimatedPerformanceShortfall"
_MOST_EXTRAPOLATED = 0.05
_DEVIATIONS_IN_RANK_ERROR = 2.576  # rank errors are told 99 % sure


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A metric as it is expected to be, with bounds that each hold at the policy's confidence.

    They allow for the window's size (``sampling_error``) and the holdout's (``holdout_error``), both standard errors;
    ``sketch_error`` is what the profile leaves open.
    """

    value: float
    lower: float | None
    upper: float | None
    sampling_error: float
    holdout_error: float
    sketch_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateReport:
    """How a window's predictions are expected to turn out.

    ``optimistic`` is the bound that the verdict rests on, ``shortfall`` how far it breaks the ``limit``. ``rows`` are
    the predictions with a usable score and decision, ``extrapolated`` the share of them whose score is beyond all that
    the holdout had. ``holdout_bias`` is by how much the estimate was too high on the holdout itself.
    """

    verdict: Verdict
    reason: str
    metric: Metric
    rows: int
    expected: Expected | None = None
    optimistic: float | None = None
    limit: float | None = None
    shortfall: float = 0.0
    metrics: Mapping[str, Expected] | None = None
    extrapolated: float = 0.0
    is_calibrated: bool = False
    holdout_rows: int = 0
    holdout_bias: float | None = None
    reconciliation: Reconciliation | None = None
    assumption: str = ASSUMPTION

    def summary(self) -> dict[str, Any]:
        """Return the numbers behind the verdict."""
        found, paired = self.expected, self.reconciliation
        return {
            "metric": self.metric,
            "value": _bounded(found.value if found else None),
            "lower": _bounded(found.lower if found else None),
            "upper": _bounded(found.upper if found else None),
            "rows": self.rows,
            "limit": _bounded(self.limit),
            "shortfall": storable(self.shortfall),
            "assumption": self.assumption,
            "reconciled_labels": paired.labels if paired else 0,
            "mean_error": _bounded(paired.mean_error if paired else None),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the report as it is kept in the lake."""
        return asdict(self)


def check_estimate(
    window: Profile,
    estimator: Estimator | None,
    configuration: ModelConfiguration,
    *,
    level: float,
    holdout_value: float | None,
    losses: LossPredictor | None = None,
    reconciliation: Reconciliation | None = None,
) -> EstimateReport:
    """Judge the champion's predictions of a window, whose labels are not known.

    The estimate is low when even its optimistic bound, which fails in a share ``level`` of all such windows, breaks the
    limit that realised performance is held to. Where what has matured contradicts the estimates made for the same rows,
    there is no verdict. Input of any kind gives a report.

    Parameters
    ----------
    window
        The profile of the champion's own predictions.
    estimator, losses
        The champion's; None for a version without, and where it is no regression.
    reconciliation
        What became of earlier estimates, if any has matured.
    """
    metric, policy = configuration.performance_metric, configuration.monitoring.performance
    nothing = EstimateReport(
        verdict=Verdict.INSUFFICIENT,
        reason="",
        metric=metric,
        rows=window.rows,
        limit=performance_limit(configuration, holdout_value),
        reconciliation=reconciliation,
    )
    if estimator is None or estimator.task is not configuration.task:
        return replace(nothing, reason="the version was trained without an estimator of its performance")
    try:
        estimates = _estimates(window, estimator, losses)
    except UnusableArtifact as error:
        return replace(nothing, reason=f"the model of the version's errors cannot be used: {error.message}")
    usable = estimates.rows
    tail = 1 - policy.confidence
    known = replace(
        nothing,
        rows=round(usable),
        metrics={name.value: found for name in sorted(estimator.metrics) if (found := estimates.expect(name, tail))},
        extrapolated=_extrapolated(window.score.distribution, estimator),
        is_calibrated=estimator.calibration is not None,
        holdout_rows=estimator.rows,
        holdout_bias=estimator.metrics[metric].bias if metric in estimator.metrics else None,
    )
    if usable < configuration.monitoring.min_rows:
        return replace(
            known, reason=f"{usable:.0f} usable predictions, fewer than the {configuration.monitoring.min_rows} needed"
        )
    if metric not in ESTIMABLE[configuration.task]:
        return replace(known, reason=f"{metric} of a {configuration.task} model cannot be estimated without labels")
    expected, at_level = estimates.expect(metric, tail), estimates.expect(metric, level)
    if expected is None or at_level is None:
        return replace(known, reason=f"{metric} is undefined on these predictions")
    return _judge(replace(known, expected=expected), expected, at_level)


def estimate_measurements(model: str, version: str, report: EstimateReport) -> list[Measurement]:
    """Return an estimate as metrics: the value where there is one, and how far beyond doubt it breaks the limit."""
    of_version = {"Model": model, "ModelVersion": version}
    shortfall = storable(report.shortfall)
    numbers = [
        Measurement(name=ESTIMATED_SHORTFALL, value=shortfall, dimensions=of_version),
        Measurement(name=ESTIMATED_SHORTFALL, value=shortfall, dimensions={"Model": model}),
    ]
    if report.expected is not None:
        numbers.append(Measurement(name=ESTIMATED, value=storable(report.expected.value), dimensions=of_version))
    if report.reconciliation is not None and report.reconciliation.mean_error is not None:
        error = storable(report.reconciliation.mean_error)
        numbers.append(Measurement(name="EstimateError", value=error, dimensions=of_version))
    return numbers


def _judge(report: EstimateReport, expected: Expected, at_level: Expected) -> EstimateReport:
    metric, limit = report.metric, report.limit
    optimistic = at_level.upper if metric.greater_is_better else at_level.lower
    if expected.lower is None or expected.upper is None or optimistic is None:
        return replace(report, reason=f"how sure the estimate of {metric} is cannot be told")
    told = (
        f"estimated {metric} {expected.value:.4f} ({expected.lower:.4f} to {expected.upper:.4f}) "
        f"on {report.rows} predictions"
    )
    paired = report.reconciliation
    if paired is not None and not paired.trusted:
        return replace(report, reason=f"{told} is not to be trusted: {paired.reason}")
    if report.extrapolated > _MOST_EXTRAPOLATED:
        told += f", {report.extrapolated:.0%} of them with scores beyond all the holdout had"
    if limit is None:
        return replace(report, verdict=Verdict.OK, optimistic=optimistic, reason=f"{told}; no limit is set")
    shortfall = max(0.0, limit - optimistic if metric.greater_is_better else optimistic - limit)
    verdict, outcome = (Verdict.LOW, "breaks") if shortfall > 0 else (Verdict.OK, "against")
    beyond = " beyond doubt" if shortfall > 0 else ""
    return replace(
        report,
        verdict=verdict,
        optimistic=optimistic,
        shortfall=shortfall,
        reason=f"{told} {outcome} the limit {limit:.4f}{beyond}; {report.assumption}",
    )


def _estimates(window: Profile, estimator: Estimator, losses: LossPredictor | None) -> "_Classifier | _Regression":
    if estimator.task is not Task.REGRESSION:
        return _Classifier(window, estimator)
    if losses is None:
        raise UnusableArtifact("there is none")
    return _Regression(window, estimator, losses)


class _Classifier:
    """Expectations over the scores that a profile keeps for each decision."""

    def __init__(self, window: Profile, estimator: Estimator) -> None:
        self._estimator = estimator
        self._found = _points(window, estimator)

    @property
    def rows(self) -> float:
        return sum(points.rows for _, points in self._found)

    def expect(self, metric: Metric, tail: float) -> Expected | None:
        task = self._estimator.task
        if not self._found or metric not in self._estimator.metrics:
            return None
        scores = np.concatenate([points.values for _, points in self._found])
        decisions = np.concatenate([np.full(len(points.values), decision) for decision, points in self._found])
        counts = np.concatenate([points.weights for _, points in self._found])
        answers = expected_answers(task, scores, decisions, self._estimator.probabilities(scores), counts=counts)
        value = answers.measure(metric)
        return None if value is None else self._unsure(metric, value, answers, tail)

    def _unsure(self, metric: Metric, value: float, answers: LabelledAnswers, tail: float) -> Expected:
        linear, holdout = linearise(metric, answers), self._estimator.metrics[metric].standard_error
        sketch = self._sketch_error()
        lower, upper = bounds(metric, value, linear, self.rows, tail, more_variance=holdout**2 + sketch**2)
        return Expected(
            value=value,
            lower=lower,
            upper=upper,
            sampling_error=float(np.sqrt(linear.variance)),
            holdout_error=holdout,
            sketch_error=sketch,
        )

    def _sketch_error(self) -> float:
        """Return how far off a mean of probabilities may be: by as much as a rank, times their range."""
        total, squares = self.rows, 0.0
        for _, points in self._found:
            least, most = self._estimator.probabilities(points.values[[0, -1]]).tolist()
            squares += (points.rows / total * (most - least) * points.rank_error / _DEVIATIONS_IN_RANK_ERROR) ** 2
        return float(np.sqrt(squares))


def _points(window: Profile, estimator: Estimator) -> list[tuple[float | str, Distribution]]:
    """Return the scores by decision, those left out that are none of the task's decisions."""
    found = []
    for text, sketch in window.score_by_decision.items():
        decision = as_targets([text], estimator.task)[0]
        if sketch.rows and (estimator.task is Task.MULTICLASS or np.isfinite(decision)):
            found.append((text if estimator.task is Task.MULTICLASS else float(decision), sketch.distribution()))
    return found


class _Regression:
    """Expectations over the sample of rows that a profile keeps."""

    def __init__(self, window: Profile, estimator: Estimator, losses: LossPredictor) -> None:
        self._estimator, self._window = estimator, window
        scored = [row for row in window.sample.rows if np.isfinite(as_numbers([row["score"]])[0])]
        self._losses = losses.losses(scored) if scored else {}

    @property
    def rows(self) -> float:
        return self._window.score.present if self._losses else 0.0

    def expect(self, metric: Metric, tail: float) -> Expected | None:
        known = self._estimator.metrics.get(metric)
        losses = self._losses.get(SQUARED if metric is Metric.RMSE else ABSOLUTE)
        if known is None or losses is None or not len(losses) or not np.isfinite(losses).all():
            return None
        mean = float(losses.mean())
        # Which rows were sampled, and how each error differs from what is expected of it.
        variance = float(losses.var()) / len(losses) + known.spread**2 / self.rows
        value = float(np.sqrt(mean)) if metric is Metric.RMSE else mean
        slope = (1 / (2 * value) if value else 0.0) if metric is Metric.RMSE else 1.0
        linear = Linearisation(value, variance * slope**2, np.array([]))
        lower, upper = bounds(metric, value, linear, len(losses), tail, more_variance=known.standard_error**2)
        return Expected(
            value=value,
            lower=lower,
            upper=upper,
            sampling_error=float(np.sqrt(variance)) * slope,
            holdout_error=known.standard_error,
            sketch_error=0.0,
        )


def _extrapolated(scores: Distribution, estimator: Estimator) -> float:
    beyond = (scores.values < estimator.least_score) | (scores.values > estimator.greatest_score)
    return float(scores.weights[beyond].sum()) / scores.rows if scores.rows else 0.0


def _bounded(value: float | None) -> float | None:
    return None if value is None else storable(value)
