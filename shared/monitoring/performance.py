"""Realised performance: what the predictions were worth, once their outcomes were due."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from shared.configuration.features import FeatureType
from shared.configuration.labels import canonical_text
from shared.configuration.metrics import METRICS_BY_TASK, Metric, Task
from shared.configuration.model import ModelConfiguration
from shared.monitoring.check import Verdict
from shared.monitoring.interval import Estimate, LabelledAnswers, estimate
from shared.monitoring.metrics import as_targets

Row = Mapping[str, Any]

SLICE_VALUES = 20
MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceReport:
    """How the champion does on matured labels; ``versions`` and ``slices`` are told, not judged.

    ``limit`` is what the metric must not fall below (a loss: not exceed), ``shortfall`` how far beyond doubt it does,
    0 where that is in doubt. ``unreadable`` labels or decisions do not fit the task and are left out.
    """

    verdict: Verdict
    reason: str
    metric: Metric
    champion: Estimate
    limit: float | None
    shortfall: float
    metrics: Mapping[str, float | None]
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
    seed: int,
) -> PerformanceReport:
    """Judge the champion on matured label records, rows of ``examples/`` one a prediction.

    It is low when even the optimistic bound of the metric at the policy's confidence breaks the limit: the policy's
    ``min`` (``max`` for losses), or ``max_drop`` worse than ``holdout_value``, whichever is stricter.
    """
    policy, metric, rng = (
        configuration.monitoring.performance,
        configuration.performance_metric,
        np.random.default_rng(seed),
    )
    answers, kept = _answers(rows, configuration.task)
    versions = np.array([row["model_version"] for row in kept], dtype=np.str_)
    of_champion = np.flatnonzero(versions == champion)
    judged = answers.at(of_champion)
    found = estimate(judged, metric, policy.confidence, rng)
    limit = performance_limit(configuration, holdout_value)
    shortfall = _shortfall(found, limit, metric)
    verdict, reason = _verdict(found, limit, shortfall, metric, policy.min_labels)
    return PerformanceReport(
        verdict=verdict,
        reason=reason,
        metric=metric,
        champion=found,
        limit=limit,
        shortfall=shortfall if verdict is Verdict.LOW else 0.0,
        metrics={name.value: judged.measure(name) for name in sorted(METRICS_BY_TASK[configuration.task])},
        overall=estimate(answers, metric, policy.confidence, rng),
        versions={
            str(version): estimate(answers.at(versions == version), metric, policy.confidence, rng)
            for version in np.unique(versions)
        },
        slices={
            name: {
                value: estimate(judged.at(chosen), metric, policy.confidence, rng)
                for value, chosen in _slices([kept[index] for index in of_champion], name, configuration)
            }
            for name in configuration.monitoring.slices
        },
        unreadable=len(rows) - len(kept),
    )


def performance_limit(configuration: ModelConfiguration, holdout_value: float | None) -> float | None:
    """Return what the metric must not fall below (a loss: not exceed), None where nothing is asked."""
    policy, greater = configuration.monitoring.performance, configuration.performance_metric.greater_is_better
    limits = [policy.min if greater else policy.max]
    if policy.max_drop is not None and holdout_value is not None:
        limits.append(holdout_value - policy.max_drop if greater else holdout_value + policy.max_drop)
    asked = [limit for limit in limits if limit is not None]
    return (max(asked) if greater else min(asked)) if asked else None


def _answers(rows: Sequence[Row], task: Task) -> tuple[LabelledAnswers, list[Row]]:
    labels, decisions = (as_targets([row[name] for row in rows], task) for name in ("value", "decision"))
    scores = np.array([row["score"] for row in rows], dtype=np.float64)
    readable = np.isfinite(scores)
    if task is not Task.MULTICLASS:
        readable &= np.isfinite(labels) & np.isfinite(decisions)
    kept = [row for row, keep in zip(rows, readable, strict=True) if keep]
    return LabelledAnswers(task, labels, decisions, scores).at(readable), kept


def _shortfall(found: Estimate, limit: float | None, metric: Metric) -> float:
    if limit is None or found.lower is None or found.upper is None:
        return 0.0
    return max(0.0, limit - found.upper if metric.greater_is_better else found.lower - limit)


def _verdict(found: Estimate, limit: float | None, shortfall: float, metric: Metric, least: int) -> tuple[Verdict, str]:
    if found.labels < least:
        return Verdict.INSUFFICIENT, f"{found.labels} matured labels, fewer than the {least} a verdict needs"
    if found.value is None:
        return Verdict.INSUFFICIENT, f"{metric} is undefined on these labels"
    measured = f"{metric} {found.value:.4f} ({found.lower:.4f} to {found.upper:.4f}) on {found.labels} labels"
    if limit is None:
        return Verdict.OK, f"{measured}; no limit is set"
    if shortfall > 0:
        return Verdict.LOW, f"{measured} breaks the limit {limit:.4f} beyond doubt"
    return Verdict.OK, f"{measured} against the limit {limit:.4f}"


def _slices(rows: Sequence[Row], name: str, configuration: ModelConfiguration) -> Iterator[tuple[str, Any]]:
    """Yield the most frequent values of a feature, a numeric one by quarters, and where they stand."""
    values = [row["features"].get(name) for row in rows]
    if configuration.features[name].type is FeatureType.NUMERIC:
        texts = _quarters(values)
    else:
        texts = np.array([MISSING if value is None else canonical_text(value) for value in values], dtype=np.str_)
    found, counts = np.unique(texts, return_counts=True)
    for position in np.argsort(-counts, kind="stable")[:SLICE_VALUES]:
        yield str(found[position]), texts == found[position]


def _quarters(values: Sequence[object]) -> Any:
    numbers = np.array(
        [float(value) if isinstance(value, int | float) else np.nan for value in values], dtype=np.float64
    )
    present = numbers[np.isfinite(numbers)]
    if not len(present):
        return np.full(len(values), MISSING)
    edges = np.unique(np.quantile(present, [0.25, 0.5, 0.75]))
    names = [*(f"up to {edge:g}" for edge in edges), f"above {edges[-1]:g}"]
    return np.where(np.isfinite(numbers), np.array(names)[np.searchsorted(edges, numbers).clip(0, len(edges))], MISSING)
