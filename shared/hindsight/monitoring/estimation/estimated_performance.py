"""Estimated performance of predictions, before their labels come.

From a profile, so that its cost does not grow with the predictions: confidence-based performance estimation (CBPE) for
classifiers, direct loss estimation (DLE) for regression.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hindsight.config.metrics import Metric
from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import UnusableArtifact
from hindsight.core.times import format_time
from hindsight.evaluation.performance_limit import performance_limit
from hindsight.monitoring.estimation.estimator import ESTIMABLE, Estimator, LossPredictor
from hindsight.monitoring.estimation.expected_performance import Expectations, ExpectedMetric, expectations
from hindsight.monitoring.estimation.reconciliation import Reconciliation
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.measurement import Measurement, above_zero, storable
from hindsight.profiles.distribution import Distribution
from hindsight.profiles.profile import Profile

ASSUMPTION = (
    "holds if scores still mean what they meant on the holdout: a change in how outcomes follow from features "
    "(concept drift) is not seen"
)
ESTIMATED = "EstimatedPerformance"
ESTIMATED_SHORTFALL = "EstimatedPerformanceShortfall"
NO_ESTIMATOR = "the version was trained without an estimator of its performance"
_MAX_EXTRAPOLATED = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateReport:
    """The expected performance of a window's predictions.

    ``optimistic`` is the bound that the verdict rests on, ``shortfall`` how far it breaks the ``limit``. ``rows`` are
    the predictions with a usable score and decision, ``extrapolated`` the share of them whose score is beyond all that
    the holdout had. ``holdout_bias`` is the estimate less the realised value on the holdout itself.
    Of a version made elsewhere its matured labels of predictions up to ``fitted_until`` take the holdout's place.
    """

    verdict: Verdict
    reason: str
    metric: Metric
    rows: int
    expected: ExpectedMetric | None = None
    optimistic: float | None = None
    limit: float | None = None
    shortfall: float = 0.0
    metrics: Mapping[str, ExpectedMetric] | None = None
    extrapolated: float = 0.0
    is_calibrated: bool = False
    holdout_rows: int = 0
    holdout_bias: float | None = None
    fitted_until: str | None = None
    reconciliation: Reconciliation | None = None
    assumption: str = ASSUMPTION

    def summary(self) -> dict[str, Any]:
        """Summarise the numbers behind the verdict."""
        found, paired = self.expected, self.reconciliation
        fitted = {"fitted_on": self.holdout_rows, "fitted_until": self.fitted_until}
        return {
            "metric": self.metric,
            "value": storable(found.value if found else None),
            "lower": storable(found.lower if found else None),
            "upper": storable(found.upper if found else None),
            "rows": self.rows,
            "limit": storable(self.limit),
            "shortfall": storable(self.shortfall),
            "assumption": self.assumption,
            **({} if self.fitted_until is None else fitted),
            "reconciled_labels": paired.labels if paired else 0,
            "mean_error": storable(paired.mean_error if paired else None),
        }


def check_estimate(
    window: Profile,
    estimator: Estimator | None,
    configuration: ModelConfiguration,
    *,
    level: float,
    gate_value: float | None,
    losses: LossPredictor | None = None,
    reconciliation: Reconciliation | None = None,
    lacking: str = NO_ESTIMATOR,
) -> EstimateReport:
    """Judge the champion's predictions of a window, whose labels are not known.

    The estimate is low when even its optimistic bound, which fails in a share ``level`` of all such windows, breaks the
    limit that realised performance is held to, suspect when only the estimate itself does. Where matured labels
    contradict the estimates made for the same rows, there is no verdict. Input of any kind gives a report.

    Parameters
    ----------
    window
        The profile of the champion's own predictions.
    estimator, losses
        The champion's; None for a version without, and where it is no regression.
    reconciliation
        The comparison of earlier estimates with their labels, if any has matured.
    lacking
        The reason where there is no estimator.
    """
    metric, policy = configuration.performance_metric, configuration.monitoring.performance
    nothing = EstimateReport(
        verdict=Verdict.INSUFFICIENT,
        reason="",
        metric=metric,
        rows=window.rows,
        limit=performance_limit(configuration, gate_value),
        reconciliation=reconciliation,
    )
    if estimator is None or estimator.task is not configuration.task:
        return replace(nothing, reason=lacking)
    try:
        estimates = expectations(window, estimator, losses)
    except UnusableArtifact as error:
        return replace(nothing, reason=f"the model of the version's errors cannot be used: {error.message}")
    usable, tail = estimates.rows, 1 - policy.confidence
    known = _described(nothing, window, estimator, estimates, tail)
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


def _described(
    report: EstimateReport, window: Profile, estimator: Estimator, estimates: Expectations, tail: float
) -> EstimateReport:
    """Add what the estimate of each metric is, and what it rests on."""
    metric = report.metric
    return replace(
        report,
        rows=round(estimates.rows),
        metrics={name.value: found for name in sorted(estimator.metrics) if (found := estimates.expect(name, tail))},
        extrapolated=_extrapolated(window.score.distribution, estimator),
        is_calibrated=estimator.calibration is not None,
        holdout_rows=estimator.rows,
        fitted_until=None if estimator.fitted_until is None else format_time(estimator.fitted_until),
        holdout_bias=estimator.metrics[metric].bias if metric in estimator.metrics else None,
    )


def estimate_measurements(model: str, version: str, report: EstimateReport) -> list[Measurement]:
    """List an estimate's metrics: the value where there is one, and by how much it significantly breaks the limit."""
    shortfall = Measurement(name=ESTIMATED_SHORTFALL, value=storable(report.shortfall), dimensions={"Model": model})
    numbers = above_zero(shortfall)
    if report.expected is not None:
        of_version = {"Model": model, "ModelVersion": version}
        numbers.append(Measurement(name=ESTIMATED, value=storable(report.expected.value), dimensions=of_version))
    return numbers


def _judge(report: EstimateReport, expected: ExpectedMetric, at_level: ExpectedMetric) -> EstimateReport:
    metric, limit = report.metric, report.limit
    optimistic = at_level.upper if metric.greater_is_better else at_level.lower
    if expected.lower is None or expected.upper is None or optimistic is None:
        return replace(report, reason=f"the bounds of the estimate of {metric} are undefined")
    reason = (
        f"estimated {metric} {expected.value:.4f} ({expected.lower:.4f} to {expected.upper:.4f}) "
        f"on {report.rows} predictions"
    )
    paired = report.reconciliation
    if paired is not None and not paired.trusted:
        return replace(report, reason=f"{reason} cannot be trusted: {paired.reason}")
    if report.extrapolated > _MAX_EXTRAPOLATED:
        reason += f", {report.extrapolated:.0%} of them with scores beyond all the holdout had"
    if limit is None:
        return replace(report, verdict=Verdict.OK, optimistic=optimistic, reason=f"{reason}; no limit is set")
    shortfall = max(0.0, metric.advantage(limit, optimistic))
    if shortfall > 0:
        verdict, outcome = Verdict.LOW, f"significantly breaks the limit {limit:.4f}"
    elif metric.advantage(limit, expected.value) > 0:
        verdict, outcome = Verdict.SUSPECT, f"breaks the limit {limit:.4f}, which may be chance"
    else:
        verdict, outcome = Verdict.OK, f"against the limit {limit:.4f}"
    return replace(
        report,
        verdict=verdict,
        optimistic=optimistic,
        shortfall=shortfall,
        reason=f"{reason} {outcome}; {report.assumption}",
    )


def _extrapolated(scores: Distribution, estimator: Estimator) -> float:
    beyond = (scores.values < estimator.least_score) | (scores.values > estimator.greatest_score)
    return float(scores.weights[beyond].sum()) / scores.rows if scores.rows else 0.0
