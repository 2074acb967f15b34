"""The figures of a model card on the holdout: metrics with intervals, slices, calibration, errors."""

from typing import Any

import numpy as np

from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.evaluation.calibration import calibration
from hindsight.evaluation.confidence_interval import Estimate, estimate
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.slices import slices_of
from hindsight.training.fitting.labelled_frame import LabelledFrame
from hindsight.training.models.scoring import Predictions

CONFIDENCE = 0.95
_OF_A_BOUND = (1 + CONFIDENCE) / 2  # bounds hold each by itself, so that both hold at the confidence
_MAX_SLICES = 100
_MAX_CLASSES = 20
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def labelled_predictions(predictions: Predictions, rows: LabelledFrame) -> LabelledPredictions:
    """Join predictions to the labels of their rows."""
    return LabelledPredictions(
        predictions.task,
        rows.labels,
        predictions.decisions,
        predictions.scores,
        sample_weights=rows.weights,
        probabilities=predictions.probabilities,
        classes=predictions.classes,
    )


def performance(known: LabelledPredictions) -> dict[str, Any]:
    """Estimate every metric of the task with its interval."""
    found = {metric: estimate(known, metric, _OF_A_BOUND) for metric in Metric if metric in METRICS_BY_TASK[known.task]}
    return {
        "confidence": CONFIDENCE,
        "labels": len(known),
        "effective_rows": known.effective_rows,
        "metrics": {metric.value: _shown(one) for metric, one in found.items()},
    }


def slices(known: LabelledPredictions, rows: LabelledFrame, configuration: ModelConfiguration) -> list[dict[str, Any]]:
    """Estimate the gate's metric on every slice of the features that are monitored by slice."""
    metric, found = configuration.gate_metric, []
    for feature in configuration.monitoring.slices:
        for name, chosen in slices_of(rows.frame[feature].to_numpy(), configuration.features[feature].type):
            within = estimate(known.at(chosen), metric, _OF_A_BOUND)
            found.append({"feature": feature, "value_of_feature": name, "labels": within.labels, **_shown(within)})
    return found[:_MAX_SLICES]


def reliability(known: LabelledPredictions) -> dict[str, Any] | None:
    """Compute the expected calibration error with its bins, None for a regression."""
    found = calibration(known, _OF_A_BOUND)
    if found is None:
        return None
    return {
        "error": found.error,
        "by_chance": found.by_chance,
        "bins": [
            {"labels": one.labels, "score": one.score, "observed": one.observed, "lower": one.lower, "upper": one.upper}
            for one in found.bins
        ],
    }


def confusion(known: LabelledPredictions) -> dict[str, Any] | None:
    """Count the rows by class and decision; None for a regression, or very many classes."""
    if known.task is Task.REGRESSION:
        return None
    classes = np.unique(np.concatenate([known.labels, known.decisions]))
    if len(classes) > _MAX_CLASSES:
        return None
    labels, decisions = np.searchsorted(classes, known.labels), np.searchsorted(classes, known.decisions)
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (labels, decisions), 1)
    names = [str(name) if known.task is Task.MULTICLASS else str(int(name)) for name in classes.tolist()]
    return {"classes": names, "rows": counts.tolist()}


def errors(known: LabelledPredictions) -> dict[str, float] | None:
    """Compute quantiles of a regression's errors, positive for too high; None for other tasks."""
    if known.task is not Task.REGRESSION or not len(known):
        return None
    quantiles = np.quantile(known.decisions - known.labels, _SHARES)
    return {f"{share:.0%}": float(value) for share, value in zip(_SHARES, quantiles, strict=True)}


def _shown(found: Estimate) -> dict[str, float | None]:
    return {"value": found.value, "lower": found.lower, "upper": found.upper}
