"""What a model card tells of the holdout: metrics with intervals, slices, calibration, errors."""

from typing import Any

import numpy as np

from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.evaluation.calibration import calibration
from hindsight.evaluation.confidence_interval import Estimate, estimate
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.training.fitting.labelled_frame import LabelledFrame
from hindsight.training.gate.gate import slices_of
from hindsight.training.models.scoring import Answers

CONFIDENCE = 0.95
_OF_A_BOUND = (1 + CONFIDENCE) / 2  # bounds hold each by itself, so that both hold at the confidence
_MOST_SLICES = 100
_MOST_CLASSES = 20
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def labelled_answers(answers: Answers, rows: LabelledFrame) -> LabelledPredictions:
    """Return answers beside the labels of their rows."""
    return LabelledPredictions(
        answers.task,
        rows.labels,
        answers.decisions,
        answers.scores,
        sample_weights=rows.weights,
        probabilities=answers.probabilities,
        classes=answers.classes,
    )


def performance(known: LabelledPredictions) -> dict[str, Any]:
    """Return every metric of the task with its interval."""
    found = {metric: estimate(known, metric, _OF_A_BOUND) for metric in Metric if metric in METRICS_BY_TASK[known.task]}
    return {
        "confidence": CONFIDENCE,
        "labels": len(known),
        "effective_rows": known.effective_rows,
        "metrics": {metric.value: _shown(one) for metric, one in found.items()},
    }


def slices(known: LabelledPredictions, rows: LabelledFrame, configuration: ModelConfiguration) -> list[dict[str, Any]]:
    """Return the gate's metric on every slice of the features that are watched by slice."""
    metric, found = configuration.gate_metric, []
    for feature in configuration.monitoring.slices:
        for name, chosen in slices_of(rows.frame[feature], configuration.features[feature].type):
            within = estimate(known.at(chosen), metric, _OF_A_BOUND)
            found.append({"feature": feature, "value_of_feature": name, "labels": within.labels, **_shown(within)})
    return found[:_MOST_SLICES]


def reliability(known: LabelledPredictions) -> dict[str, Any] | None:
    """Return the expected calibration error with its bins, None for a regression."""
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
    """Return how many rows of each class were decided how; None for a regression, or very many classes."""
    if known.task is Task.REGRESSION:
        return None
    classes = np.unique(np.concatenate([known.labels, known.decisions]))
    if len(classes) > _MOST_CLASSES:
        return None
    labels, decisions = np.searchsorted(classes, known.labels), np.searchsorted(classes, known.decisions)
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (labels, decisions), 1)
    names = [str(name) if known.task is Task.MULTICLASS else str(int(name)) for name in classes.tolist()]
    return {"classes": names, "rows": counts.tolist()}


def errors(known: LabelledPredictions) -> dict[str, float] | None:
    """Return quantiles of what a regression said too much, None for other tasks."""
    if known.task is not Task.REGRESSION or not len(known):
        return None
    quantiles = np.quantile(known.decisions - known.labels, _SHARES)
    return {f"{share:.0%}": float(value) for share, value in zip(_SHARES, quantiles, strict=True)}


def _shown(found: Estimate) -> dict[str, float | None]:
    return {"value": found.value, "lower": found.lower, "upper": found.upper}
