"""Realised performance of predictions whose outcomes are due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.calibration import Calibration, calibration
from hindsight.evaluation.confidence_interval import Estimate, estimate
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.matured_labels import MaturedLabels, read_matured
from hindsight.evaluation.sequential.sequential_test import SequentialTest
from hindsight.evaluation.slices import MAX_SLICES, slices_of_rows
from hindsight.label_records.columns import ValueColumn
from hindsight.monitoring.performance.performance_verdict import Evidence, judge_performance
from hindsight.monitoring.results.alarm_metrics import SHORTFALL
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.measurement import Measurement, above_zero, storable


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceReport:
    """The champion's performance on matured labels; ``versions`` and ``slices`` are reported, not judged.

    ``limit`` is what the metric must not fall below (a loss: not exceed), ``shortfall`` how far it does, 0 where that
    is not significant. ``evidence`` is the e-value of the anytime-valid test against the claim that the metric is no
    worse than the limit, on ``counted`` labels since the version serves; None for a metric without such a test.
    ``metrics`` and ``calibration`` are the champion's. ``unreadable`` labels or decisions do not fit the task and are
    left out.
    """

    verdict: Verdict
    reason: str
    metric: Metric
    champion: Estimate
    limit: float | None
    shortfall: float
    evidence: float | None
    counted: int
    metrics: Mapping[str, Estimate]
    calibration: Calibration | None
    overall: Estimate
    versions: Mapping[str, Estimate]
    slices: Mapping[str, Mapping[str, Estimate]]
    unreadable: int

    def summary(self) -> dict[str, Any]:
        """Summarise the numbers behind the verdict: short, and storable."""
        found = self.champion
        return {
            "metric": self.metric,
            "labels": found.labels,
            "counted": self.counted,
            "value": storable(found.value),
            "lower": storable(found.lower),
            "upper": storable(found.upper),
            "effective_rows": storable(found.effective_rows),
            "limit": storable(self.limit),
            "shortfall": storable(self.shortfall),
            "evidence": storable(self.evidence),
        }


def check_performance(
    rows: Sequence[LabelFields],
    configuration: ModelConfiguration,
    *,
    champion: str,
    limit: float | None,
    test: SequentialTest | None,
    level: float,
) -> PerformanceReport:
    """Judge the champion on matured label records, rows of ``labels/`` one a prediction.

    All is measured over the predictions that the records stand for, weighted by ``label_weights``.

    Parameters
    ----------
    limit
        What the metric must not fall below (a loss: not exceed), None where nothing is asked.
    test
        The anytime-valid test of the champion, which decides.
    level
        The share of such evaluations in which a metric without such a test may be called low by chance.
    """
    policy, metric = configuration.monitoring.performance, configuration.performance_metric
    matured, confidence = read_matured(rows, configuration), policy.confidence
    version_of_row = matured.rows.values("model_version")
    of_champion = matured.at(np.flatnonzero(version_of_row.is_text(champion)))
    judged = of_champion.predictions
    found = estimate(judged, metric, confidence)
    evidence = Evidence(
        metric=metric,
        limit=limit,
        found=found,
        test=test,
        at_level=estimate(judged, metric, 1 - level),
        level=level,
        # A loss without a value lacks probabilities, not decisions.
        constant=_constant_decision(judged) if metric.is_share else None,
    )
    verdict = judge_performance(evidence, policy)
    return PerformanceReport(
        verdict=verdict.verdict,
        reason=verdict.reason,
        metric=metric,
        champion=found,
        limit=limit,
        shortfall=verdict.shortfall,
        evidence=test.evidence if test else None,
        counted=test.rounds if test else 0,
        metrics={
            name.value: estimate(judged, name, confidence) for name in sorted(METRICS_BY_TASK[configuration.task])
        },
        calibration=calibration(judged, confidence),
        overall=estimate(matured.predictions, metric, confidence),
        versions={
            version: estimate(matured.predictions.at(version_of_row.is_text(version)), metric, confidence)
            for version in _busiest(version_of_row)
        },
        slices={name: _by_slice(of_champion, name, configuration) for name in configuration.monitoring.slices},
        unreadable=matured.unreadable,
    )


def _constant_decision(judged: LabelledPredictions) -> str | None:
    decisions = np.unique(judged.decisions)
    if judged.task is Task.REGRESSION or len(decisions) != 1 or len(np.unique(judged.labels)) == 1:
        return None
    return f"{decisions[0]:g}" if judged.task is Task.BINARY else str(decisions[0])


def _busiest(versions: ValueColumn) -> list[str]:
    """List the versions with the most rows: another server may name as many as it has answers."""
    names, codes = versions.distinct()
    counts = np.bincount(codes, minlength=len(names)).tolist()
    ordered = sorted(zip(counts, names, strict=True), key=lambda pair: (-pair[0], pair[1]))
    return sorted(name for _, name in ordered[:MAX_SLICES])


def _by_slice(matured: MaturedLabels, name: str, configuration: ModelConfiguration) -> dict[str, Estimate]:
    metric, confidence = configuration.performance_metric, configuration.monitoring.performance.confidence
    return {
        value: estimate(matured.predictions.at(chosen), metric, confidence)
        for value, chosen in slices_of_rows(matured.rows, name, configuration.features[name].type)
    }


def performance_measurements(model: str, version: str, report: PerformanceReport) -> list[Measurement]:
    """List the numbers that alarms and dashboards follow."""
    numbers = above_zero(Measurement(name=SHORTFALL, value=storable(report.shortfall), dimensions={"Model": model}))
    if report.champion.value is not None:
        of_version = {"Model": model, "ModelVersion": version}
        numbers.append(
            Measurement(name="LivePerformance", value=storable(report.champion.value), dimensions=of_version)
        )
    return numbers
