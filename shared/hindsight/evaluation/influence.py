"""Influence of each row on a metric, and with it the metric's variance: without resampling, for any weights.

Every metric but the ROC AUC is a mean of ratios of weighted sums, or a function of one. A row's influence on a ratio
N/D is its weight times (n - N/D d)/D, the first term of its Taylor series; the sum of the squared influences is the
variance for rows that were selected independently (Woodruff, 1971; Särndal, Swensson and Wretman, 1992, section 5.5).
That of the ROC AUC is by its two distributions (DeLong, DeLong and Clarke-Pearson, 1988).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.metrics import Floats, Values

# The variance of a share of hits is badly estimated from few errors, so two more rows steady it.
_STEADYING_ROWS = 2.0
_STEADYING_SHARE = (
    0.25  # of a row: a whole positive more, where there are twenty, doubles the interval of an AUC of 0.95
)


@dataclass(frozen=True, slots=True)
class MetricInfluence:
    """A metric near its value: ``variance`` of its estimate, and the ``influence`` of each row, shape (n,).

    For a share of hits all is taken with a right and a wrong row more (after Agresti and Coull, 1998), each of
    the weight that a unit of weight lies in on average, so that rows that are all right by luck are not taken to be
    sure; ``value`` is then that of the steadied metric, and ``steadying_rows`` how many rows that added.
    """

    value: float
    variance: float
    influence: Floats
    steadying_rows: float = 0.0


def measure_influence(metric: Metric, rows: LabelledPredictions) -> MetricInfluence:
    """Compute the influence of rows on a metric that is defined on them."""
    if metric is Metric.ROC_AUC:
        return _roc_auc_influence(rows)
    terms = _terms(metric, rows)
    weights, counts = rows.weights, rows.counts
    unit = average_weight(weights, counts) if metric.is_share else 0.0
    total = (weights * counts)[terms.row]
    under = np.bincount(terms.ratio, total * terms.under, terms.ratios) + _STEADYING_ROWS * unit
    over = np.bincount(terms.ratio, total * terms.over, terms.ratios) + unit
    present = under > 0
    under = np.where(present, under, 1.0)
    ratios = over / under
    among = max(1, int(present.sum()))
    steps = (terms.over - ratios[terms.ratio] * terms.under) / under[terms.ratio]
    influence = weights * np.bincount(terms.row, steps, len(rows)) / among
    steadying = unit**2 * ((1 - ratios) ** 2 + ratios**2) / under**2
    variance = float((counts * influence**2).sum() + steadying[present].sum() / among**2)
    added = _STEADYING_ROWS if unit else 0.0
    return _of_ratio(metric, MetricInfluence(float(ratios[present].sum()) / among, variance, influence, added))


def average_weight(weights: Floats, counts: Floats) -> float:
    """Compute the weight that a unit of weight lies in on average, 0 of none."""
    total = float((counts * weights).sum())
    return float((counts * weights**2).sum()) / total if total else 0.0


def _of_ratio(metric: Metric, ratio: MetricInfluence) -> MetricInfluence:
    """Convert the influence on a ratio to that on a metric that is a function of it."""
    if metric is Metric.RMSE:
        root = float(np.sqrt(ratio.value))
        slope = 1 / (2 * root) if root else 0.0
        return MetricInfluence(root, ratio.variance * slope**2, ratio.influence * slope)
    if metric is Metric.R2:
        return MetricInfluence(1 - ratio.value, ratio.variance, -ratio.influence)
    return ratio


@dataclass(frozen=True, slots=True)
class _Terms:
    """Contributions of rows to the numerators and denominators of ratios, term by term, shape (terms,)."""

    ratios: int
    ratio: npt.NDArray[np.intp]
    row: npt.NDArray[np.intp]
    over: Floats
    under: Floats


def _terms(metric: Metric, rows: LabelledPredictions) -> _Terms:
    if metric in _TERMS:
        return _TERMS[metric](rows)
    return _one_each(rows.losses(metric), np.ones(len(rows)))


def _one_each(over: Values, under: Values, ratio: Values | None = None, ratios: int = 1) -> _Terms:
    """Build terms of which every row has one, all of one ratio by default."""
    places = np.arange(len(over))
    of_ratio = np.zeros(len(over), np.intp) if ratio is None else ratio
    return _Terms(ratios, of_ratio, places, over.astype(np.float64), under.astype(np.float64))


def _hits(rows: LabelledPredictions) -> Values:
    hits: Values = rows.labels == rows.decisions
    return hits


def _accuracy_terms(rows: LabelledPredictions) -> _Terms:
    return _one_each(_hits(rows), np.ones(len(rows)))


def _balanced_accuracy_terms(rows: LabelledPredictions) -> _Terms:
    classes, codes = np.unique(rows.labels, return_inverse=True)
    return _one_each(_hits(rows), np.ones(len(rows)), codes, len(classes))


def _precision_terms(rows: LabelledPredictions) -> _Terms:
    decided = rows.decisions == 1.0
    return _one_each(_hits(rows) & decided, decided)


def _recall_terms(rows: LabelledPredictions) -> _Terms:
    labelled = rows.labels == 1.0
    return _one_each(_hits(rows) & labelled, labelled)


def _r2_terms(rows: LabelledPredictions) -> _Terms:
    centre = float(np.average(rows.labels, weights=rows.weights * rows.counts))
    return _one_each((rows.labels - rows.decisions) ** 2, (rows.labels - centre) ** 2)


def _f1_terms(rows: LabelledPredictions) -> _Terms:
    """Build the terms of 2 TP / (labelled + decided), of the positive class, or of each class of many."""
    if rows.task is Task.BINARY:
        labelled, decided = rows.labels == 1.0, rows.decisions == 1.0
        return _one_each(2.0 * (labelled & decided), labelled.astype(np.float64) + decided)
    places = np.arange(len(rows))
    classes, codes = np.unique(np.concatenate([rows.labels, rows.decisions]), return_inverse=True)
    over = np.concatenate([2.0 * _hits(rows), np.zeros(len(rows))])
    return _Terms(len(classes), codes, np.concatenate([places, places]), over, np.ones(2 * len(rows)))


_TERMS: Mapping[Metric, Callable[[LabelledPredictions], _Terms]] = {
    Metric.ACCURACY: _accuracy_terms,
    Metric.BALANCED_ACCURACY: _balanced_accuracy_terms,
    Metric.PRECISION: _precision_terms,
    Metric.RECALL: _recall_terms,
    Metric.F1: _f1_terms,
    Metric.R2: _r2_terms,
}


def _roc_auc_influence(rows: LabelledPredictions) -> MetricInfluence:
    unit = _STEADYING_SHARE * average_weight(rows.weights, rows.counts)
    last = float(rows.scores.max()) + 1.0 if len(rows) else 1.0
    first = float(rows.scores.min()) - 1.0 if len(rows) else -1.0
    # Right and wrong rows of each class: a positive above all and one below all, and two such negatives.
    scores = np.concatenate([rows.scores, [last, first, last, first]])
    positive = np.concatenate([rows.labels, [1.0, 1.0, 0.0, 0.0]]) == 1.0
    weights = np.concatenate([rows.weights, np.full(4, unit)])
    counts = np.concatenate([rows.counts, np.ones(4)])
    _, rank = np.unique(scores, return_inverse=True)
    total = weights * counts
    positives = np.bincount(rank, total * positive)
    negatives = np.bincount(rank, total * ~positive)
    all_positive, all_negative = float(positives.sum()), float(negatives.sum())
    outranked = (np.cumsum(negatives) - negatives / 2)[rank] / all_negative
    outranking = (all_positive - np.cumsum(positives) + positives / 2)[rank] / all_positive
    value = float((total * positive) @ outranked) / all_positive
    influence = weights * np.where(positive, (outranked - value) / all_positive, (outranking - value) / all_negative)
    return MetricInfluence(
        value, float((counts * influence**2).sum()), influence[:-4], _STEADYING_ROWS * _STEADYING_SHARE
    )
