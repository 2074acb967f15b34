"""Labelled predictions as arrays: rows that each have a weight, and may stand for several equal ones."""

from dataclasses import dataclass

import numpy as np

from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.metrics import Floats, Values, evaluate, loss_of_rows
from hindsight.evaluation.weights import effective_rows


@dataclass(frozen=True, slots=True)
class LabelledPredictions:
    """Labels with the decisions and scores given before they came, as arrays of shape (n,).

    ``sample_weights`` are the numbers of predictions that rows were sampled to stand for, and make what is measured
    less certain; ``row_counts`` are the numbers of equal rows, and make it more certain. Both are 1 by default.
    ``probabilities``, shape (n, classes), are those of a multiclass prediction, NaN in rows that came without.
    """

    task: Task
    labels: Values
    decisions: Values
    scores: Values
    sample_weights: Floats | None = None
    row_counts: Floats | None = None
    probabilities: Floats | None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, chosen: Values) -> "LabelledPredictions":
        """Pick some of the rows, by a mask or by indices."""
        return LabelledPredictions(
            self.task,
            self.labels[chosen],
            self.decisions[chosen],
            self.scores[chosen],
            None if self.sample_weights is None else self.sample_weights[chosen],
            None if self.row_counts is None else self.row_counts[chosen],
            None if self.probabilities is None else self.probabilities[chosen],
            self.classes,
        )

    @property
    def weights(self) -> Floats:
        """The rows' weights, 1 by default."""
        return np.ones(len(self)) if self.sample_weights is None else self.sample_weights

    @property
    def counts(self) -> Floats:
        """The number of times each row was seen, 1 by default."""
        return np.ones(len(self)) if self.row_counts is None else self.row_counts

    @property
    def effective_rows(self) -> float:
        """The number of equally weighted rows with as much information (Kish, 1965)."""
        if self.row_counts is None:
            return effective_rows(self.weights)
        squares = float((self.row_counts * self.weights**2).sum())
        return float((self.row_counts * self.weights).sum()) ** 2 / squares if squares else 0.0

    def measure(self, metric: Metric) -> float | None:
        """Compute a metric over the predictions that the rows stand for, None where it is undefined."""
        return evaluate(
            metric,
            self.task,
            self.labels,
            self.decisions,
            self.scores,
            probabilities=self.probabilities,
            weights=self.weights * self.counts,
            classes=self.classes,
        )

    def losses(self, metric: Metric) -> Floats:
        """Compute each row's part of a mean loss, shape (n,); raises as ``loss_of_rows``."""
        return loss_of_rows(
            metric,
            self.task,
            self.labels,
            self.decisions,
            self.scores,
            probabilities=self.probabilities,
            classes=self.classes,
        )
