"""Matured labels as values from 0 to 1, of which more is better, as an anytime-valid test needs them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.metrics import Floats
from hindsight.evaluation.sequential.betting import Hypothesis, Wealth

WORST_LOSS = 8.0  # times the limit: a loss beyond counts as this much, which can only hide a fall, never feign one
MOST_UNPAIRED = 200

Unpaired = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Observations:
    """Values and weights in the order in which their labels matured, shape (n,).

    ``unpaired``, for metrics that compare a positive with a negative, are those that still wait for their like: each
    the label, what is compared, and the weight.
    """

    values: Floats
    weights: Floats
    unpaired: Unpaired = field(default=())


@dataclass(frozen=True, slots=True)
class Scale:
    """A metric to which every label contributes, its null and its limit in the metric's own unit."""

    metric: Metric
    task: Task
    null: float
    limit: float

    @property
    def hypothesis(self) -> Hypothesis:
        """The null and the limit on the scale of the observed values."""
        return Hypothesis(self._place(self.null), self._place(self.limit))

    def wealth(self, heaviest: float) -> Wealth:
        """Build the bettors' wealth at the start, where a label weighs ``heaviest`` at most."""
        return Wealth.at_start(self.hypothesis, heaviest=heaviest**2 if self.metric in _PAIRED else heaviest)

    def observe(self, answers: LabelledPredictions, unpaired: Unpaired = ()) -> Observations:
        """Compute the observations of labels, in the order given; for some metrics not every label is one."""
        if self.metric in _PAIRED:
            return _pairs(_PAIRED[self.metric], answers, unpaired)
        if self.metric in _OF_LOSS:
            losses = np.minimum(answers.losses(self.metric), self._worst)
            return Observations(1 - losses / self._worst, answers.weights)
        values, telling = _OF_ANSWERS[self.metric](answers, self.null)
        return Observations(values[telling], answers.weights[telling])

    @property
    def _worst(self) -> float:
        return WORST_LOSS * self._unclipped(self.limit)

    def _unclipped(self, value: float) -> float:
        return value**2 if self.metric is Metric.RMSE else value

    def _place(self, value: float) -> float:
        return 1 - self._unclipped(value) / self._worst if self.metric in _OF_LOSS else value


def scale_of(metric: Metric, task: Task, *, null: float, limit: float) -> Scale | None:
    """Find the scale of a metric, None for one that is no mean over labels or pairs of labels.

    Means are accuracy, precision, recall, F1 (binary), balanced accuracy and ROC AUC (binary, over pairs), Brier
    score, log loss, MAE and RMSE (of squares). R² and what averages over several classes are not; nor can anything be
    bet on a null or limit at the end of the metric's range.
    """
    if metric in _BINARY_ONLY and task is not Task.BINARY:
        return None
    if metric in _OF_LOSS:
        return Scale(metric, task, null, limit) if 0 < null <= limit else None
    known = metric in _PAIRED or metric in _OF_ANSWERS
    return Scale(metric, task, null, limit) if known and 0 < limit <= null < 1 else None


_PerLabel = tuple[Floats, npt.NDArray[np.bool_]]


def _accuracy(answers: LabelledPredictions, _null: float) -> _PerLabel:
    return (answers.labels == answers.decisions).astype(np.float64), np.ones(len(answers), dtype=bool)


def _precision(answers: LabelledPredictions, _null: float) -> _PerLabel:
    return answers.labels.astype(np.float64), answers.decisions == 1.0


def _recall(answers: LabelledPredictions, _null: float) -> _PerLabel:
    return answers.decisions.astype(np.float64), answers.labels == 1.0


def _f1(answers: LabelledPredictions, null: float) -> _PerLabel:
    """Compute 1 for a hit and ``null / 2`` for a false alarm or a miss.

    F1 is at least the null where 2 TP - null (2 TP + FP + FN) is at least 0: a mean over labels, halved and put on
    the null. What is neither labelled nor decided positive says nothing.
    """
    hit = (answers.labels == 1.0) & (answers.decisions == 1.0)
    return np.where(hit, 1.0, null / 2), (answers.labels == 1.0) | (answers.decisions == 1.0)


_OF_ANSWERS: Mapping[Metric, Callable[[LabelledPredictions, float], _PerLabel]] = {
    Metric.ACCURACY: _accuracy,
    Metric.PRECISION: _precision,
    Metric.RECALL: _recall,
    Metric.F1: _f1,
}
_OF_LOSS = frozenset({Metric.BRIER, Metric.LOG_LOSS, Metric.MAE, Metric.RMSE})
_PAIRED: Mapping[Metric, Callable[[LabelledPredictions], Floats]] = {
    Metric.ROC_AUC: lambda answers: np.asarray(answers.scores, dtype=np.float64),
    Metric.BALANCED_ACCURACY: lambda answers: (answers.labels == answers.decisions).astype(np.float64),
}
_BINARY_ONLY = frozenset({Metric.F1, Metric.LOG_LOSS, Metric.BRIER, *_PAIRED})


def _pairs(
    compared: Callable[[LabelledPredictions], Floats], answers: LabelledPredictions, unpaired: Unpaired
) -> Observations:
    """Compute the metric on pairs of the n-th positive and the n-th negative, in the order they came.

    Scores show whether the positive outranks the negative (half for a tie), hits how many of the two are right. Only
    the latest of those that find no partner are kept.
    """
    waiting = [
        *unpaired,
        *zip(answers.labels.tolist(), compared(answers).tolist(), answers.weights.tolist(), strict=True),
    ]
    positives, negatives = ([row for row in waiting if row[0] == label] for label in (1.0, 0.0))
    pairs = list(zip(positives, negatives, strict=False))
    left = (positives[len(pairs) :] or negatives[len(pairs) :])[-MOST_UNPAIRED:]
    of_scores = compared is _PAIRED[Metric.ROC_AUC]
    values = [
        (1 + np.sign(positive[1] - negative[1])) / 2 if of_scores else (positive[1] + negative[1]) / 2
        for positive, negative in pairs
    ]
    both = [positive[2] * negative[2] for positive, negative in pairs]
    return Observations(np.array(values, dtype=np.float64), np.array(both, dtype=np.float64), tuple(left))
