"""Paired comparison of two versions' losses on the same rows, by the rule of one standard error."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.metrics import Floats, Values
from hindsight.registry.schema import Schema
from hindsight.training.models.scoring import class_codes

_MIN_PROBABILITY = 1e-6  # one confident wrong prediction must not outweigh a hundred rows


@dataclass(frozen=True, slots=True)
class Truth:
    """Labels as ``as_targets`` gives them, and how much each row weighs, both of shape (n,)."""

    labels: Values
    weights: Floats

    def mean(self, losses: Floats) -> float:
        """Compute the weighted mean of the rows' losses."""
        return float(np.average(losses, weights=self.weights))


def loss_name(schema: Schema) -> str:
    """Name the loss that settings are compared by: a mean over rows that the best predictions minimise."""
    if schema.task is not Task.REGRESSION:
        return "log_loss"
    return "absolute_error" if schema.metric is Metric.MAE else "squared_error"


def losses_of_chances(chances: Floats, truth: Truth, schema: Schema) -> Floats:
    """Compute the log loss of each row, shape (n,), from probabilities of shape (n, classes)."""
    codes = class_codes(truth.labels, schema)
    predicted: Floats = chances[np.arange(len(codes)), codes]
    return -np.log(np.clip(predicted, _MIN_PROBABILITY, 1.0))


def losses_of_values(values: Floats, truth: Truth, schema: Schema) -> Floats:
    """Compute the absolute or squared error of each row, shape (n,)."""
    errors: Floats = np.abs(values - truth.labels)
    return errors if schema.metric is Metric.MAE else errors**2


def is_better(challenger: Floats, incumbent: Floats, truth: Truth) -> bool:
    """Decide whether a challenger's losses are smaller by more than one standard error of their paired difference.

    The rule of one standard error (Breiman et al., 1984): what is simpler, or was there first, stays unless there is
    reason to leave it. So of many settings tried on few rows the luckiest is not taken for the best.

    >>> truth = Truth(np.zeros(4), np.ones(4))
    >>> is_better(np.array([0.1, 0.2, 0.1, 0.2]), np.array([0.3, 0.5, 0.2, 0.4]), truth)
    True
    >>> is_better(np.array([0.1, 0.9, 0.1, 0.2]), np.array([0.3, 0.5, 0.2, 0.4]), truth)
    False
    """
    gains = incumbent - challenger
    mean = truth.mean(gains)
    weights: npt.NDArray[np.float64] = truth.weights / truth.weights.sum()
    error = float(np.sqrt((weights**2 * (gains - mean) ** 2).sum()))
    return mean > error
