"""What a version's holdout taught about its scores, so that its performance can be estimated before labels come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.core.errors import UnreadableObject
from hindsight.evaluation.labelled_predictions import LabelledAnswers
from hindsight.evaluation.metrics import Floats, Values

ESTIMATOR_FORMAT = 1
ESTIMABLE: Mapping[Task, frozenset[Metric]] = {
    Task.BINARY: METRICS_BY_TASK[Task.BINARY],
    # The score is the decided class's alone: it tells whether the decision is right, not what is right instead.
    Task.MULTICLASS: frozenset({Metric.ACCURACY}),
    Task.REGRESSION: frozenset({Metric.MAE, Metric.RMSE}),
}
ABSOLUTE, SQUARED = "absolute", "squared"
_ANOTHER_CLASS = "\x00another"  # no class has such a name


class LossPredictor(Protocol):
    """Says how far off the answers to some rows will be."""

    def losses(self, rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Floats]:
        """Return the expected ``absolute`` and ``squared`` error of rows with ``features`` and ``score``, each (n,)."""


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
    """A monotone map from scores to probabilities: straight lines between knots, level beyond them.

    >>> ScoreCalibration((0.2, 0.8), (0.1, 0.5)).apply(np.array([0.0, 0.5, 1.0])).tolist()
    [0.1, 0.3, 0.5]
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def apply(self, scores: Floats) -> Floats:
        """Return the probabilities that scores stand for, shape (n,)."""
        return np.interp(scores, self.scores, self.probabilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldoutEstimate:
    """A metric on the holdout, as it was and as it would have been estimated by rows that were not asked.

    ``standard_error`` is how unsure any estimate is because the holdout had an end. ``spread`` is the standard
    deviation of a row's loss around what was estimated for it; regression only.
    """

    realised: float
    estimated: float
    standard_error: float
    spread: float = 0.0

    @property
    def bias(self) -> float:
        """By how much the estimate was too high."""
        return self.estimated - self.realised


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLoss:
    """Where the model of a loss lies in the lake."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """How to estimate a version's performance from its scores.

    Parameters
    ----------
    rows
        How many rows of the holdout it rests on.
    calibration
        From scores to probabilities; None where scores served as well as they were, and for regression.
    least_score, greatest_score
        The range of the holdout's scores; beyond it nothing was seen.
    metrics
        The metrics that can be estimated, by name.
    losses
        Models of the ``absolute`` and the ``squared`` error; regression only.
    score_feature
        Under which name these read the version's prediction, among its features.
    """

    task: Task
    rows: int
    least_score: float
    greatest_score: float
    metrics: Mapping[Metric, HoldoutEstimate]
    calibration: ScoreCalibration | None = None
    losses: Mapping[str, StoredLoss] = field(default_factory=dict)
    score_feature: str = ""

    def probabilities(self, scores: Floats) -> Floats:
        """Return how probable it is that an answer with each score is positive (multiclass: right), shape (n,)."""
        return np.clip(scores, 0.0, 1.0) if self.calibration is None else self.calibration.apply(scores)

    def with_losses(self, losses: Mapping[str, StoredLoss]) -> "Estimator":
        """Return the estimator with the places of its loss models."""
        return replace(self, losses=losses)

    def to_json(self) -> dict[str, Any]:
        """Return the estimator as JSON objects."""
        return {
            "format": ESTIMATOR_FORMAT,
            "task": self.task.value,
            "rows": self.rows,
            "least_score": self.least_score,
            "greatest_score": self.greatest_score,
            "metrics": {
                metric.value: {name: getattr(found, name) for name in HoldoutEstimate.__slots__}
                for metric, found in self.metrics.items()
            },
            "calibration": self.calibration
            and {"scores": list(self.calibration.scores), "probabilities": list(self.calibration.probabilities)},
            "losses": {name: {"key": loss.key, "digest": loss.digest} for name, loss in self.losses.items()},
            "score_feature": self.score_feature,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Estimator":
        """Return the estimator ``to_json`` showed. Raises UnreadableObject for anything else."""
        try:
            if document["format"] != ESTIMATOR_FORMAT:
                raise UnreadableObject(f"an estimator of format {document['format']} cannot be read")
            knots = document["calibration"]
            return cls(
                task=Task(document["task"]),
                rows=document["rows"],
                least_score=document["least_score"],
                greatest_score=document["greatest_score"],
                metrics={Metric(name): HoldoutEstimate(**found) for name, found in document["metrics"].items()},
                calibration=knots and ScoreCalibration(tuple(knots["scores"]), tuple(knots["probabilities"])),
                losses={name: StoredLoss(**loss) for name, loss in document["losses"].items()},
                score_feature=document["score_feature"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UnreadableObject(f"the estimator is damaged: {type(error).__name__}: {error}") from error


def expected_answers(
    task: Task,
    scores: Floats,
    decisions: Values,
    probabilities: Floats,
    *,
    weights: Floats | None = None,
    counts: Floats | None = None,
) -> LabelledAnswers:
    """Return answers whose labels are not known yet, each twice: as it turns out with its probability, and not.

    Confidence-based performance estimation (CBPE): measured on these rows, every metric is what it is expected to be
    (NannyML's documentation; Kivimäki et al., 2024, "Confidence-based Estimators for Predictive Performance in Model
    Monitoring"). A row counts by the probability of its label, so that its variance is that of labels still to come.
    Shape (2n,): first all that turn out, then in the same order all that do not.

    Parameters
    ----------
    probabilities
        That the label is positive; of a multiclass answer, that the decision is right.
    weights, counts
        As in ``LabelledAnswers``.
    """
    if task is Task.BINARY:
        labels: Values = np.repeat([1.0, 0.0], len(scores))
    else:
        labels = np.concatenate([decisions, np.full(len(decisions), _ANOTHER_CLASS)])
    seen = np.ones(len(scores)) if counts is None else counts
    return LabelledAnswers(
        task,
        labels,
        np.concatenate([decisions, decisions]),
        np.concatenate([scores, scores]),
        None if weights is None else np.concatenate([weights, weights]),
        np.concatenate([seen * probabilities, seen * (1 - probabilities)]),
    )
