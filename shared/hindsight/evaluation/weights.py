"""Weights of labels: the predictions that each stands for, where only those picked for review would have a label."""

from collections.abc import Sequence

import numpy as np

from hindsight.config.labels import Labels
from hindsight.config.model import ModelConfiguration
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.metrics import Floats
from hindsight.label_records.rows import LabelRows

_MIN_PROBABILITY = 1e-9


def review_weights(records: Sequence[LabelFields], labels: Labels) -> Floats:
    """Compute the number of predictions that each newest label record stands for under a configuration, shape (n,).

    A reviewer's label stands for 1/π predictions, where π is the probability with which the prediction was to be
    reviewed (Horvitz and Thompson, 1952), but only where it would have had no label without the review. It stands for
    itself alone where every prediction is labelled in the end, or where this one has had a value from another kind:
    as many as its like have that too, whether or not they were reviewed. A label from any other kind stands for
    itself. So does one whose probability is not a number in (0, 1].

    >>> record = {"kind": "manual", "selection_probability": 0.02}
    >>> from hindsight.config.labels import Rule
    >>> labels = Labels(rules=(Rule(event="annotation"),))
    >>> review_weights([record, {**record, "labelled_without_review": True}], labels).tolist()
    [50.0, 1.0]
    """
    rows = LabelRows.of(records)
    weights = np.ones(len(rows))
    if labels_every_prediction(labels):
        return weights
    probability = rows.values("selection_probability").numbers
    drawn = rows.is_reviewed_alone() & (probability > 0) & (probability <= 1)
    weights[drawn] = 1 / np.maximum(probability[drawn], _MIN_PROBABILITY)
    return weights


def labels_every_prediction(labels: Labels) -> bool:
    """Check whether every prediction has a label in the end, reviewed or not: there is a default for all of them."""
    return labels.default is not None and not labels.default.requires_exposure


def max_label_weight(configuration: ModelConfiguration) -> float:
    """Compute the largest weight a label can have: that of a prediction which only the audit could pick."""
    rate = configuration.review.random_rate
    return 1.0 if rate <= 0 or labels_every_prediction(configuration.labels) else 1 / rate


def effective_rows(weights: Floats) -> float:
    """Compute the number of equally weighted rows with as much information (Kish, 1965).

    >>> effective_rows(np.array([1.0, 1.0, 1.0])), round(effective_rows(np.array([1.0, 1.0, 50.0])), 2)
    (3.0, 1.08)
    """
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0
