"""The metrics a configuration may name; each knows its task and which direction is better."""

import math
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
    def greater_is_better(self) -> bool:
        """True where a larger value is a better model, so that no comparison can be turned round by accident."""
        return self not in {Metric.LOG_LOSS, Metric.BRIER, Metric.MAE, Metric.RMSE}

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
        if self is Metric.R2:
            return -math.inf, 1.0
        return 0.0, math.inf if self in {Metric.LOG_LOSS, Metric.MAE, Metric.RMSE} else 1.0


METRICS_BY_TASK: dict[Task, frozenset[Metric]] = {
    Task.BINARY: frozenset(Metric) - {Metric.MAE, Metric.RMSE, Metric.R2},
    Task.MULTICLASS: frozenset({Metric.ACCURACY, Metric.BALANCED_ACCURACY, Metric.F1, Metric.LOG_LOSS}),
    Task.REGRESSION: frozenset({Metric.MAE, Metric.RMSE, Metric.R2}),
}
DEFAULT_METRIC: dict[Task, Metric] = {
    Task.BINARY: Metric.ACCURACY,
    Task.MULTICLASS: Metric.ACCURACY,
    Task.REGRESSION: Metric.MAE,
}
