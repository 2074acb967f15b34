"""What was decided, beside what turned out: rows that each weigh something, and may stand for several."""

from dataclasses import dataclass

import numpy as np

from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.metrics import Floats, Values, evaluate
from hindsight.evaluation.weights import effective_rows


@dataclass(frozen=True, slots=True)
class LabelledAnswers:
    """Labels with the decisions and scores given before they came, as arrays of shape (n,).

    ``weights`` say how many predictions a row was sampled to stand for, and make what is measured less certain;
    ``counts`` how often an equal row was seen, which makes it more certain. Both are 1 by default. ``probabilities``,
    shape (n, classes), are those of a multiclass answer, NaN in rows that came without.
    """

    task: Task
    labels: Values
    decisions: Values
    scores: Values
    weights: Floats | None = None
    counts: Floats | None = None
    probabilities: Floats | None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, chosen: Values) -> "LabelledAnswers":
        """Return some of the rows, by a mask or by indices."""
        return LabelledAnswers(
            self.task,
            self.labels[chosen],
            self.decisions[chosen],
            self.scores[chosen],
            None if self.weights is None else self.weights[chosen],
            None if self.counts is None else self.counts[chosen],
            None if self.probabilities is None else self.probabilities[chosen],
            self.classes,
        )

    @property
    def weighing(self) -> Floats:
        """The rows' weights, 1 by default."""
        return np.ones(len(self)) if self.weights is None else self.weights

    @property
    def counting(self) -> Floats:
        """How often each row was seen, 1 by default."""
        return np.ones(len(self)) if self.counts is None else self.counts

    @property
    def effective_rows(self) -> float:
        """The number of equally weighted rows that would tell as much (Kish, 1965)."""
        if self.counts is None:
            return effective_rows(self.weighing)
        squares = float((self.counts * self.weighing**2).sum())
        return float((self.counts * self.weighing).sum()) ** 2 / squares if squares else 0.0

    def measure(self, metric: Metric) -> float | None:
        """Return a metric's value over the predictions that the rows stand for, None where it is undefined."""
        return evaluate(
            metric,
            self.task,
            self.labels,
            self.decisions,
            self.scores,
            probabilities=self.probabilities,
            weights=self.weighing * self.counting,
            classes=self.classes,
        )
