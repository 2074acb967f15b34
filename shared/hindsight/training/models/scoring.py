"""What a loaded version answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hindsight.config.metrics import Metric, Task
from hindsight.core.errors import UnusableArtifact
from hindsight.evaluation.metrics import evaluate
from hindsight.registry.schema import Schema
from hindsight.training.models.frame import to_frame
from hindsight.training.models.probabilities import Recalibration

Floats = npt.NDArray[np.float64]
Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Scored:
    """One answer.

    Binary: ``score`` is the probability of the positive class, ``decision`` 1 from the schema's threshold on, else 0.
    Multiclass: ``decision`` is the likeliest class, ``score`` its probability, ``probabilities`` those of all.
    Regression: both are the value.
    """

    score: float
    decision: int | float | str
    probabilities: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to n rows as arrays: ``decisions`` and ``scores`` (n,), ``probabilities`` (n, classes) or None."""

    task: Task
    decisions: Values
    scores: Floats
    probabilities: Floats | None = None
    classes: tuple[str, ...] = ()

    def measure(self, metric: Metric, labels: Values, weights: Values | None = None) -> float | None:
        """Return how well the answers fit labels, None where the metric is undefined."""
        return evaluate(
            metric,
            self.task,
            labels,
            self.decisions,
            self.scores,
            probabilities=self.probabilities,
            weights=weights,
            classes=self.classes,
        )

    def at(self, chosen: Values) -> "Answers":
        """Return the answers to some of the rows."""
        probabilities = None if self.probabilities is None else self.probabilities[chosen]
        return Answers(self.task, self.decisions[chosen], self.scores[chosen], probabilities, self.classes)


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    """A pipeline and its schema, ready to score; ``recalibration`` is what its chances of classes go through."""

    schema: Schema
    pipeline: Any
    recalibration: Recalibration | None = None

    def score(self, rows: Sequence[Mapping[str, Any]]) -> list[Scored]:
        """Return the answer to each row of features, in order."""
        if not rows:
            return []
        answers = self.answer(to_frame(rows, self.schema.features))
        if answers.probabilities is None:
            decide = int if self.schema.task is Task.BINARY else float
            pairs = zip(answers.scores.tolist(), answers.decisions.tolist(), strict=True)
            return [Scored(score, decide(decision)) for score, decision in pairs]
        triples = zip(answers.scores.tolist(), answers.decisions.tolist(), answers.probabilities.tolist(), strict=True)
        classes = self.schema.classes
        return [
            Scored(score, decision, dict(zip(classes, chances, strict=True))) for score, decision, chances in triples
        ]

    def answer(self, frame: pd.DataFrame) -> Answers:
        """Return the answers to a frame of features as arrays.

        Raises UnusableArtifact if the pipeline cannot be run, as one trained under another scikit-learn may not.
        """
        try:
            return self._answer(frame)
        except Exception as error:
            raise UnusableArtifact(f"{self.schema.version} cannot score: {type(error).__name__}") from error

    def _answer(self, frame: pd.DataFrame) -> Answers:
        if self.schema.task is Task.REGRESSION:
            values = np.asarray(self.pipeline.predict(frame), dtype=np.float64)
            return Answers(Task.REGRESSION, values, values)
        chances = self.chances(frame)
        if self.schema.task is Task.BINARY:
            positive = chances[:, 1]
            return Answers(Task.BINARY, (positive >= self.schema.threshold).astype(np.float64), positive)
        likeliest = chances.argmax(axis=1)
        decisions = np.array(self.schema.classes, dtype=np.str_)[likeliest]
        return Answers(Task.MULTICLASS, decisions, chances.max(axis=1), chances, self.schema.classes)

    def chances(self, frame: pd.DataFrame) -> Floats:
        """Return probabilities, a column for every class of the schema; one the estimator never met has no chance."""
        chances = np.zeros((len(frame), len(self.schema.classes)))
        chances[:, np.asarray(self.pipeline.classes_, dtype=np.intp)] = self.pipeline.predict_proba(frame)
        return chances if self.recalibration is None else self.recalibration.apply(chances)


def class_codes(labels: Values, schema: Schema) -> Values:
    """Return labels, as ``as_targets`` gives them, as what an estimator is trained on: codes of classes, or values."""
    if schema.task is Task.MULTICLASS:
        code = {name: position for position, name in enumerate(schema.classes)}
        return np.array([code[name] for name in labels.tolist()], dtype=np.intp)
    return labels.astype(np.intp) if schema.task is Task.BINARY else labels
