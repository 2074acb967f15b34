"""Scoring: a loaded version and its predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hindsight.config.metrics import Metric, Task
from hindsight.core.errors import UnusableArtifact
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.metrics import Floats, Values
from hindsight.registry.schema import Schema
from hindsight.training.models.frame import to_frame
from hindsight.training.models.probabilities import Recalibration


@dataclass(frozen=True, slots=True)
class RowPrediction:
    """The prediction for one row.

    Binary: ``score`` is the probability of the positive class, ``decision`` 1 from the schema's threshold on, else 0.
    Multiclass: ``decision`` is the likeliest class, ``score`` its probability, ``probabilities`` those of all.
    Regression: both are the value.
    """

    score: float
    decision: int | float | str
    probabilities: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions for n rows: ``decisions`` and ``scores`` (n,), ``probabilities`` (n, classes) or None."""

    task: Task
    decisions: Values
    scores: Floats
    probabilities: Floats | None = None
    classes: tuple[str, ...] = ()

    def measure(self, metric: Metric, labels: Values, weights: Values | None = None) -> float | None:
        """Measure how well the predictions fit labels, None where the metric is undefined."""
        return self.labelled(labels, weights).measure(metric)

    def labelled(self, labels: Values, weights: Values | None = None) -> LabelledPredictions:
        """Join the predictions to the labels of their rows, and to the rows' weights, 1 by default."""
        return LabelledPredictions(
            self.task,
            labels,
            self.decisions,
            self.scores,
            weights,
            probabilities=self.probabilities,
            classes=self.classes,
        )

    def at(self, chosen: Values) -> "Predictions":
        """Select the predictions for some of the rows."""
        probabilities = None if self.probabilities is None else self.probabilities[chosen]
        return Predictions(self.task, self.decisions[chosen], self.scores[chosen], probabilities, self.classes)


@dataclass(frozen=True, slots=True)
class LoadedVersion:
    """A pipeline and its schema, ready to score; ``recalibration`` corrects its probabilities."""

    schema: Schema
    pipeline: Any
    recalibration: Recalibration | None = None

    def score(self, rows: Sequence[Mapping[str, Any]]) -> list[RowPrediction]:
        """Score each row of features, in order."""
        if not rows:
            return []
        predictions = self.predict(to_frame(rows, self.schema.features))
        if predictions.probabilities is None:
            decide = int if self.schema.task is Task.BINARY else float
            pairs = zip(predictions.scores.tolist(), predictions.decisions.tolist(), strict=True)
            return [RowPrediction(score, decide(decision)) for score, decision in pairs]
        triples = zip(
            predictions.scores.tolist(), predictions.decisions.tolist(), predictions.probabilities.tolist(), strict=True
        )
        classes = self.schema.classes
        return [
            RowPrediction(score, decision, dict(zip(classes, chances, strict=True)))
            for score, decision, chances in triples
        ]

    def predict(self, frame: pd.DataFrame) -> Predictions:
        """Predict a frame of features.

        Raises UnusableArtifact if the pipeline cannot be run, as one trained under another scikit-learn may not.
        """
        try:
            return self._predict(frame)
        except Exception as error:
            raise UnusableArtifact(f"{self.schema.version} cannot score: {type(error).__name__}") from error

    def _predict(self, frame: pd.DataFrame) -> Predictions:
        if self.schema.task is Task.REGRESSION:
            values = np.asarray(self.pipeline.predict(frame), dtype=np.float64)
            return Predictions(Task.REGRESSION, values, values)
        chances = self.chances(frame)
        if self.schema.task is Task.BINARY:
            positive = chances[:, 1]
            return Predictions(Task.BINARY, (positive >= self.schema.threshold).astype(np.float64), positive)
        likeliest = chances.argmax(axis=1)
        decisions = np.array(self.schema.classes, dtype=np.str_)[likeliest]
        return Predictions(Task.MULTICLASS, decisions, chances.max(axis=1), chances, self.schema.classes)

    def chances(self, frame: pd.DataFrame) -> Floats:
        """Compute probabilities, a column for every class of the schema; a class never seen in training has zero."""
        chances = self.raw_chances(frame)
        return chances if self.recalibration is None else self.recalibration.apply(chances)

    def raw_chances(self, frame: pd.DataFrame) -> Floats:
        """Compute what the pipeline itself says. Raises ValueError unless that is one answer a row."""
        found, classes = self.pipeline.predict_proba(frame), np.asarray(self.pipeline.classes_, dtype=np.intp)
        if np.shape(found) != (len(frame), len(classes)):
            raise ValueError(f"{np.shape(found)} probabilities for {len(frame)} rows and {len(classes)} classes")
        chances = np.zeros((len(frame), len(self.schema.classes)))
        chances[:, classes] = found
        return chances


def class_codes(labels: Values, schema: Schema) -> Values:
    """Encode labels, as ``as_targets`` gives them, for an estimator: codes of classes, or values."""
    if schema.task is Task.MULTICLASS:
        code = {name: position for position, name in enumerate(schema.classes)}
        return np.array([code[name] for name in labels.tolist()], dtype=np.intp)
    return labels.astype(np.intp) if schema.task is Task.BINARY else labels
