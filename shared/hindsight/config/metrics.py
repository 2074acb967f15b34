"""The metrics a configuration may name; each knows its task and which direction is better."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Task(StrEnum):
    """The task of a model: the kind of its predictions."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class Metric(StrEnum):
    """A measure of how well predictions fit labels."""

    ACCURACY = "accuracy"
    BALANCED_ACCURACY = "balanced_accuracy"
    F1 = "f1"
    PRECISION = "precision"
    RECALL = "recall"
    ROC_AUC = "roc_auc"
    LOG_LOSS = "log_loss"
    BRIER = "brier"
    MAE = "mae"
    RMSE = "rmse"
    R2 = "r2"

    @property
    def tasks(self) -> frozenset[Task]:
        """The tasks of the models that the metric measures."""
        return _TRAITS[self].tasks

    @property
    def greater_is_better(self) -> bool:
        """True where a larger value is a better model, so that no comparison can be turned round by accident."""
        return _TRAITS[self].greater_is_better

    def advantage(self, value: float, other: float) -> float:
        """Compute by how much a value is better than another one, negative where it is worse.

        >>> Metric.ACCURACY.advantage(0.75, 0.5), Metric.MAE.advantage(0.75, 0.5)
        (0.25, -0.25)
        """
        return value - other if self.greater_is_better else other - value

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value the metric can have.

        >>> Metric.ACCURACY.bounds, Metric.MAE.bounds
        ((0.0, 1.0), (0.0, inf))
        """
        return _TRAITS[self].bounds

    def flatters(self, value: float) -> bool:
        """Check whether a value is the best there is, which one answer to everything has: yes has a recall of 1."""
        return self is Metric.RECALL and value == self.bounds[1]

    @property
    def is_share(self) -> bool:
        """True for a share of hits, whose variance is badly estimated from few errors."""
        return _TRAITS[self].is_share

    @property
    def chooses_threshold(self) -> bool:
        """True where a threshold of scores can be the best: not where all are alike, or one of the ends is."""
        return _TRAITS[self].chooses_threshold


_CLASSES = frozenset({Task.BINARY, Task.MULTICLASS})
_BINARY, _REGRESSION = frozenset({Task.BINARY}), frozenset({Task.REGRESSION})
_UNBOUNDED = (0.0, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traits:
    """The traits of a metric, which hold wherever it is used."""

    tasks: frozenset[Task]
    greater_is_better: bool = True
    bounds: tuple[float, float] = (0.0, 1.0)
    is_share: bool = False
    chooses_threshold: bool = False


_TRAITS: Mapping[Metric, _Traits] = {
    Metric.ACCURACY: _Traits(tasks=_CLASSES, is_share=True, chooses_threshold=True),
    Metric.BALANCED_ACCURACY: _Traits(tasks=_CLASSES, is_share=True, chooses_threshold=True),
    Metric.F1: _Traits(tasks=_CLASSES, is_share=True, chooses_threshold=True),
    Metric.PRECISION: _Traits(tasks=_BINARY, is_share=True),
    Metric.RECALL: _Traits(tasks=_BINARY, is_share=True),
    Metric.ROC_AUC: _Traits(tasks=_BINARY, is_share=True),
    Metric.LOG_LOSS: _Traits(tasks=_CLASSES, greater_is_better=False, bounds=_UNBOUNDED),
    Metric.BRIER: _Traits(tasks=_BINARY, greater_is_better=False),
    Metric.MAE: _Traits(tasks=_REGRESSION, greater_is_better=False, bounds=_UNBOUNDED),
    Metric.RMSE: _Traits(tasks=_REGRESSION, greater_is_better=False, bounds=_UNBOUNDED),
    Metric.R2: _Traits(tasks=_REGRESSION, bounds=(-math.inf, 1.0)),
}
METRICS_BY_TASK: Mapping[Task, frozenset[Metric]] = {
    task: frozenset(metric for metric in Metric if task in metric.tasks) for task in Task
}
# Of rare classes the majority's answer is right most of the time: no first version beats its accuracy, and live no
# decay is seen in it. Of several classes nothing better can be estimated before labels, or tested at every label.
DEFAULT_METRIC: Mapping[Task, Metric] = {
    Task.BINARY: Metric.ROC_AUC,
    Task.MULTICLASS: Metric.ACCURACY,
    Task.REGRESSION: Metric.MAE,
}
DEFAULT_GATE_METRIC: Mapping[Task, Metric] = {
    Task.BINARY: Metric.ROC_AUC,
    Task.MULTICLASS: Metric.BALANCED_ACCURACY,
    Task.REGRESSION: Metric.MAE,
}
