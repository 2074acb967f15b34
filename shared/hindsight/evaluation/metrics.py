"""Metrics of predictions against labels: each one that a configuration may name, on plain arrays.

Rows count by their weights, so that a bootstrap resample is a vector of counts and a sampled row can stand for the
rows it was drawn from.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hindsight.config.labels import LabelValue, canonical_text
from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

MIN_PROBABILITY = 1e-15
_BINARY = {"1": 1.0, "true": 1.0, "0": 0.0, "false": 0.0}


def as_targets(values: Sequence[LabelValue], task: Task) -> Values:
    """Convert label values or decisions to what ``evaluate`` takes, shape (n,).

    Binary gives 0.0 and 1.0, multiclass the classes' canonical text, regression floats; what cannot be read as such
    becomes NaN (text always can).

    >>> as_targets([True, 0, "1", "maybe"], Task.BINARY)
    array([ 1.,  0.,  1., nan])
    """
    if task is Task.MULTICLASS:
        return np.array([canonical_text(value) for value in values], dtype=np.str_)
    if task is Task.BINARY:
        return np.array([_BINARY.get(canonical_text(value), np.nan) for value in values], dtype=np.float64)
    return as_numbers(values)


def as_numbers(values: Sequence[object]) -> Floats:
    """Convert values to floats, NaN where one is no number; shape (n,).

    >>> as_numbers([1, 0.5, True, "2", None])
    array([1. , 0.5, nan, nan, nan])
    """
    return np.array([_number(value) for value in values], dtype=np.float64)


def evaluate(
    metric: Metric,
    task: Task,
    labels: Values,
    decisions: Values,
    scores: Values,
    *,
    probabilities: Floats | None = None,
    weights: Values | None = None,
    classes: Sequence[str] | None = None,
) -> float | None:
    """Compute a metric, None where it is undefined.

    Parameters
    ----------
    labels, decisions : shape (n,), as ``as_targets`` returns them; for regression the decision is the prediction
    scores : shape (n,), the probability of the positive class (binary) or the predicted value (regression)
    probabilities : shape (n, classes), only for the log loss of a multiclass task, columns in the order of ``classes``
    weights : shape (n,), not negative; each row counts once by default

    Undefined are: no rows, or none with weight; a NaN in what the metric reads; one class only (ROC AUC, balanced
    accuracy); nothing positive (precision without a positive decision, recall without a positive label, F1 without
    either); R² of constant labels; a multiclass log loss without probabilities. F1 is the macro average for
    multiclass. Raises ValueError for a metric that does not measure the task.

    >>> hits = np.array([1.0, 0.0, 1.0])
    >>> evaluate(Metric.ACCURACY, Task.BINARY, hits, np.array([1.0, 1.0, 1.0]), hits)
    0.6666666666666666
    """
    if metric not in METRICS_BY_TASK[task]:
        raise ValueError(f"{metric} does not measure a {task} model")
    row_weights = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=np.float64)
    counted = row_weights > 0
    if not counted.any() or not np.isfinite(row_weights).all():
        return None
    rows = _Rows(
        task=task,
        labels=labels[counted],
        decisions=decisions[counted],
        scores=scores[counted],
        weights=row_weights[counted],
        probabilities=None if probabilities is None else probabilities[counted],
        classes=classes,
    )
    with np.errstate(over="ignore", invalid="ignore"):  # the squares of the largest doubles are infinite: undefined
        value = _MEASURES[metric](rows)
    return None if value is None or not np.isfinite(value) else float(value)


def loss_of_rows(
    metric: Metric,
    task: Task,
    labels: Values,
    decisions: Values,
    scores: Values,
    *,
    probabilities: Floats | None = None,
    classes: Sequence[str] | None = None,
) -> Floats:
    """Compute each row's part of a mean loss, shape (n,): of the RMSE its squared error. Arguments as ``evaluate``'s.

    Raises ValueError for a metric that is no mean loss, or a log loss without probabilities.
    """
    rows = _Rows(task, labels, decisions, scores, np.ones(len(labels)), probabilities, classes)
    losses = _LOSSES[metric](rows) if metric in _LOSSES else None
    if losses is None:
        raise ValueError(f"{metric} has no loss for each row")
    return losses


@dataclass(frozen=True, slots=True)
class _Rows:
    task: Task
    labels: Values
    decisions: Values
    scores: Values
    weights: Floats
    probabilities: Floats | None
    classes: Sequence[str] | None

    def mean(self, values: Values) -> float:
        return float(np.average(values, weights=self.weights))


@dataclass(frozen=True, slots=True)
class _Counts:
    """Weights of true positives, of all decided positive, and of all labelled positive."""

    hits: float
    decided: float
    labelled: float

    @property
    def f1(self) -> float | None:
        return _ratio(2 * self.hits, self.decided + self.labelled)


def _counts(rows: _Rows, positive: object) -> _Counts | None:
    if _has_nan(rows.labels, rows.decisions):
        return None
    labelled, decided = rows.labels == positive, rows.decisions == positive
    weights = rows.weights
    return _Counts(
        float(weights[labelled & decided].sum()), float(weights[decided].sum()), float(weights[labelled].sum())
    )


def _accuracy(rows: _Rows) -> float | None:
    if _has_nan(rows.labels, rows.decisions):
        return None
    return rows.mean(rows.labels == rows.decisions)


def _balanced_accuracy(rows: _Rows) -> float | None:
    present = np.unique(rows.labels)
    if len(present) < 2 or _has_nan(rows.labels, rows.decisions):
        return None
    hits = rows.labels == rows.decisions
    of_class = [rows.labels == value for value in present]
    return float(np.mean([np.average(hits[chosen], weights=rows.weights[chosen]) for chosen in of_class]))


def _f1(rows: _Rows) -> float | None:
    if rows.task is Task.BINARY:
        counts = _counts(rows, 1.0)
        return counts.f1 if counts else None
    found = [_counts(rows, value) for value in np.union1d(rows.labels, rows.decisions)]
    return float(np.mean([counts.f1 or 0.0 for counts in found if counts]))


def _precision(rows: _Rows) -> float | None:
    counts = _counts(rows, 1.0)
    return _ratio(counts.hits, counts.decided) if counts else None


def _recall(rows: _Rows) -> float | None:
    counts = _counts(rows, 1.0)
    return _ratio(counts.hits, counts.labelled) if counts else None


def _roc_auc(rows: _Rows) -> float | None:
    """Compute the weighted probability that a positive outranks a negative, ties counting half."""
    if _has_nan(rows.labels, rows.scores):
        return None
    _, rank = np.unique(rows.scores, return_inverse=True)
    positive = np.bincount(rank, weights=rows.weights * rows.labels)
    negative = np.bincount(rank, weights=rows.weights * (1 - rows.labels))
    below = np.cumsum(negative) - negative
    return _ratio(float((positive * (below + negative / 2)).sum()), float(positive.sum() * negative.sum()))


def _log_losses(rows: _Rows) -> Floats | None:
    given = _probability_of_label(rows)
    return None if given is None else -np.log(np.clip(given, MIN_PROBABILITY, 1.0))


def _probability_of_label(rows: _Rows) -> Values | None:
    if rows.task is Task.BINARY:
        chance: Values = np.where(rows.labels == 1.0, rows.scores, 1.0 - rows.scores)
        return np.where(np.isnan(rows.labels), np.nan, chance)
    if rows.probabilities is None or rows.classes is None:
        return None
    column = {name: position for position, name in enumerate(rows.classes)}
    chosen = np.array([column.get(str(label), -1) for label in rows.labels])
    # A class unknown to the model was given no chance at all.
    return np.where(chosen < 0, 0.0, rows.probabilities[np.arange(len(chosen)), chosen])


def _squared_errors(predictions: Values, labels: Values) -> Floats:
    squares: Floats = (predictions - labels) ** 2
    return squares


def _mean_loss(metric: Metric) -> Callable[[_Rows], float | None]:
    def measure(rows: _Rows) -> float | None:
        losses = _LOSSES[metric](rows)
        return None if losses is None or _has_nan(losses) else rows.mean(losses)

    return measure


def _rmse(rows: _Rows) -> float | None:
    return float(np.sqrt(rows.mean(_squared_errors(rows.decisions, rows.labels))))


def _r2(rows: _Rows) -> float | None:
    centre = rows.mean(rows.labels)
    spread = rows.mean((rows.labels - centre) ** 2)
    unexplained = _ratio(rows.mean((rows.labels - rows.decisions) ** 2), spread)
    return None if unexplained is None else 1.0 - unexplained


_LOSSES: Mapping[Metric, Callable[[_Rows], Floats | None]] = {
    Metric.LOG_LOSS: _log_losses,
    Metric.BRIER: lambda rows: _squared_errors(rows.scores, rows.labels),
    Metric.MAE: lambda rows: np.abs(rows.decisions - rows.labels),
    Metric.RMSE: lambda rows: _squared_errors(rows.decisions, rows.labels),
}
_MEASURES: Mapping[Metric, Callable[[_Rows], float | None]] = {
    Metric.ACCURACY: _accuracy,
    Metric.BALANCED_ACCURACY: _balanced_accuracy,
    Metric.F1: _f1,
    Metric.PRECISION: _precision,
    Metric.RECALL: _recall,
    Metric.ROC_AUC: _roc_auc,
    Metric.LOG_LOSS: _mean_loss(Metric.LOG_LOSS),
    Metric.BRIER: _mean_loss(Metric.BRIER),
    Metric.MAE: _mean_loss(Metric.MAE),
    Metric.RMSE: _rmse,
    Metric.R2: _r2,
}


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _has_nan(*arrays: Values) -> bool:
    return any(values.dtype.kind == "f" and bool(np.isnan(values).any()) for values in arrays)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return np.nan
    try:
        return float(value)
    except OverflowError:  # JSON has integers beyond the largest double
        return np.nan
