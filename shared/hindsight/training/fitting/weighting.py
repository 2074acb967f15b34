"""The weights of rows in training: by the predictions it stands for, its age, and the rarity of its class."""

from datetime import timedelta

import numpy as np

from hindsight.config.training import Training
from hindsight.datasets.split import Longs
from hindsight.evaluation.metrics import Floats, Values
from hindsight.training.fitting.labelled_frame import LabelledFrame


def row_weights(rows: LabelledFrame, training: Training) -> Floats:
    """Compute the weights of n rows, shape (n,), 1 on average: of reviewed ones as many predictions as they stand for.

    With a half-life a row weighs half as much as one that is so much newer.
    """
    weights = rows.weights.astype(np.float64)
    if training.recency_half_life is not None:
        weights = weights * _recency(rows.moments.occurred, training.recency_half_life)
    return weights / weights.mean() if len(weights) else weights


def class_weights(codes: Values, weights: Floats, classes: int) -> Floats:
    """Compute the weights, shape (classes,), under which every class that occurs weighs as much as any other.

    >>> class_weights(np.array([0, 0, 0, 1]), np.ones(4), 2).tolist()
    [0.6666666666666666, 2.0]
    """
    held = np.bincount(codes, weights, minlength=classes)
    occurs = held > 0
    return np.where(occurs, weights.sum() / (int(occurs.sum()) * np.where(occurs, held, 1.0)), 1.0)


def _recency(occurred: Longs, half_life: timedelta) -> Floats:
    moments = occurred.astype("datetime64[us]")
    ages = (moments.max() - moments) / np.timedelta64(half_life) if len(moments) else np.array([])
    # A row of thousands of half-lives would weigh nothing at all, and a class of such rows could not be trained on.
    weights: Floats = np.exp2(-np.minimum(ages.astype(np.float64), 60.0))
    return weights
