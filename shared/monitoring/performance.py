"""Realised performance: what the predictions were worth, once their outcomes were due."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from shared.configuration.metrics import METRICS_BY_TASK, Metric
from shared.configuration.model import ModelConfiguration
from shared.monitoring.calibration import Calibration, calibration
from shared.monitoring.check import Verdict
from shared.monitoring.interval import Estimate, estimate
from shared.monitoring.matured import read_matured
from shared.monitoring.slices import slices_of

Row = Mapping[str, Any]

_ROUNDING = 1e-9  # equal weights are worth their number


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceReport:
    """How the champion does on matured labels; ``versions`` and ``slices`` are told, not judged.

    ``limit`` is what the metric must not fall below (a loss: not exceed), ``shortfall`` how far beyond doubt it does,
    0 where that is in doubt. ``metrics`` and ``calibration`` are the champion's. ``unreadable`` labels or decisions do
    not fit the task and are left out.
    """

    verdict: Verdict
    reason: str
    metric: Metric
    champion: Estimate
    limit: float | None
    shortfall: float
    metrics: Mapping[str, Estimate]
    calibration: Calibration | None
    overall: Estimate
    versions: Mapping[str, Estimate]
    slices: Mapping[str, Mapping[str, Estimate]]
    unreadable: int

    def to_json(self) -> dict[str, Any]:
        """Return the report as it is kept in the lake."""
        return asdict(self)


def check_performance(
    rows: Sequence[Row],
    configuration: ModelConfiguration,
    *,
    champion: str,
    holdout_value: float | None,
) -> PerformanceReport:
    """Judge the champion on matured label records, rows of ``examples/`` one a prediction.

    All is measured over the predictions that the records stand for, weighted as ``review_weight`` says. The champion
    is low when even the optimistic bound of the metric at the policy's confidence breaks the limit: the policy's
    ``min`` (``max`` for losses), or ``max_drop`` worse than ``holdout_value``, whichever is stricter.
    """
    policy, metric = configuration.monitoring.performance, configuration.performance_metric
    matured = read_matured(rows, configuration)
    answers, confidence = matured.answers, policy.confidence
    versions = np.array([row["model_version"] for row in matured.rows], dtype=np.str_)
    of_champion = np.flatnonzero(versions == champion)
    judged = answers.at(of_champion)
    found = estimate(judged, metric, confidence)
    limit = performance_limit(configuration, holdout_value)
    shortfall = _shortfall(found, limit, metric)
    verdict, reason = _verdict(found, limit, shortfall, metric, policy.min_labels)
    champion_rows = [matured.rows[index] for index in of_champion]
    return PerformanceReport(
        verdict=verdict,
        reason=reason,
        metric=metric,
        champion=found,
        limit=limit,
        shortfall=shortfall if verdict is Verdict.LOW else 0.0,
        metrics={
            name.value: estimate(judged, name, confidence) for name in sorted(METRICS_BY_TASK[configuration.task])
        },
        calibration=calibration(judged, confidence),
        overall=estimate(answers, metric, confidence),
        versions={
            str(version): estimate(answers.at(versions == version), metric, confidence)
            for version in np.unique(versions)
        },
        slices={
            name: {
                value: estimate(judged.at(chosen), metric, confidence)
                for value, chosen in slices_of(champion_rows, name, configuration.features[name].type)
            }
            for name in configuration.monitoring.slices
        },
        unreadable=matured.unreadable,
    )


def performance_limit(configuration: ModelConfiguration, holdout_value: float | None) -> float | None:
    """Return what the metric must not fall below (a loss: not exceed), None where nothing is asked."""
    policy, greater = configuration.monitoring.performance, configuration.performance_metric.greater_is_better
    limits = [policy.min if greater else policy.max]
    if policy.max_drop is not None and holdout_value is not None:
        limits.append(holdout_value - policy.max_drop if greater else holdout_value + policy.max_drop)
    asked = [limit for limit in limits if limit is not None]
    return (max(asked) if greater else min(asked)) if asked else None


def _shortfall(found: Estimate, limit: float | None, metric: Metric) -> float:
    if limit is None or found.lower is None or found.upper is None:
        return 0.0
    return max(0.0, limit - found.upper if metric.greater_is_better else found.lower - limit)


def _verdict(found: Estimate, limit: float | None, shortfall: float, metric: Metric, least: int) -> tuple[Verdict, str]:
    if found.labels < least:
        return Verdict.INSUFFICIENT, f"{found.labels} matured labels, fewer than the {least} a verdict needs"
    if found.effective_rows < least * (1 - _ROUNDING):
        worth = f"{found.labels} labels, by their weights worth {found.effective_rows:.0f}"
        return Verdict.INSUFFICIENT, f"{worth}, fewer than the {least} a verdict needs"
    if found.value is None or found.lower is None or found.upper is None:
        return Verdict.INSUFFICIENT, f"{metric} is undefined on these labels"
    measured = f"{metric} {found.value:.4f} ({found.lower:.4f} to {found.upper:.4f}) on {found.labels} labels"
    if limit is None:
        return Verdict.OK, f"{measured}; no limit is set"
    if shortfall > 0:
        return Verdict.LOW, f"{measured} breaks the limit {limit:.4f} beyond doubt"
    return Verdict.OK, f"{measured} against the limit {limit:.4f}"
