"""The estimator of a version's performance before labels come, fitted on its holdout or on its earlier labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import numpy as np

from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.core.codec import from_plain
from hindsight.core.errors import UnreadableObject, UnreadableRecord
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.metrics import Floats, Values

ESTIMATOR_FORMAT = 1
ESTIMABLE: Mapping[Task, frozenset[Metric]] = {
    Task.BINARY: METRICS_BY_TASK[Task.BINARY],
    # The score is the decided class's alone: it gives the probability of the decision, not of the other classes.
    Task.MULTICLASS: frozenset({Metric.ACCURACY}),
    Task.REGRESSION: frozenset({Metric.MAE, Metric.RMSE}),
}
ABSOLUTE, SQUARED = "absolute", "squared"
_ANOTHER_CLASS = "\x00another"  # no class has such a name


class LossPredictor(Protocol):
    """A predictor of the errors of a regression's predictions."""

    def losses(self, rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Floats]:
        """Predict the ``absolute`` and ``squared`` error of rows with ``features`` and ``score``, each (n,)."""


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
    """A monotone map from scores to probabilities: straight lines between knots, level beyond them.

    >>> ScoreCalibration((0.2, 0.8), (0.1, 0.5)).apply(np.array([0.0, 0.5, 1.0])).tolist()
    [0.1, 0.3, 0.5]
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def apply(self, scores: Floats) -> Floats:
        """Convert scores to the probabilities that they stand for, shape (n,)."""
        return np.interp(scores, self.scores, self.probabilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldoutEstimate:
    """A metric on the holdout, as realised and as estimated by a calibration fitted on other rows.

    ``standard_error`` is the error of any estimate that comes from the holdout's size. ``spread`` is the standard
    deviation of a row's loss around what was estimated for it; regression only.
    """

    realised: float
    estimated: float
    standard_error: float
    spread: float = 0.0

    @property
    def bias(self) -> float:
        """The estimate less the realised value."""
        return self.estimated - self.realised


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLoss:
    """The place of a loss model in the lake."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """An estimator of a version's performance from its scores.

    Parameters
    ----------
    rows
        The number of rows of the holdout that it is fitted on.
    calibration
        From scores to probabilities; None where scores served as well as they were, and for regression.
    least_score, greatest_score
        The range of the holdout's scores; beyond it nothing was seen.
    metrics
        The metrics that can be estimated, by name.
    fitted_until
        The moment of the newest prediction it is fitted on, where that is no holdout: of a version made elsewhere.
    losses
        Models of the ``absolute`` and the ``squared`` error; regression only.
    score_feature
        The name under which these read the version's prediction, among its features.
    """

    task: Task
    rows: int
    least_score: float
    greatest_score: float
    metrics: Mapping[Metric, HoldoutEstimate]
    calibration: ScoreCalibration | None = None
    losses: Mapping[str, StoredLoss] = field(default_factory=dict)
    score_feature: str = ""
    fitted_until: datetime | None = None
    format: int = ESTIMATOR_FORMAT

    def probabilities(self, scores: Floats) -> Floats:
        """Compute the probability that the label is positive (multiclass: the decision right) by score, shape (n,)."""
        return np.clip(scores, 0.0, 1.0) if self.calibration is None else self.calibration.apply(scores)

    @classmethod
    def from_json(cls, document: object) -> "Estimator":
        """Read an estimator from JSON objects, as ``to_plain`` converts it. Raises UnreadableObject."""
        try:
            found = from_plain(cls, document)
        except UnreadableRecord as error:
            raise UnreadableObject(f"the estimator is damaged: {error.message}") from error
        if found.format != ESTIMATOR_FORMAT:
            raise UnreadableObject(f"an estimator of format {found.format} cannot be read")
        return found


def expected_predictions(
    task: Task,
    scores: Floats,
    decisions: Values,
    probabilities: Floats,
    *,
    weights: Floats | None = None,
    counts: Floats | None = None,
) -> LabelledPredictions:
    """Build predictions whose labels are not known yet, each twice: right by its probability, and wrong.

    Confidence-based performance estimation (CBPE): measured on these rows, every metric is what it is expected to be
    (NannyML's documentation; Kivimäki et al., 2024, "Confidence-based Estimators for Predictive Performance in Model
    Monitoring"). A row counts by the probability of its label, so that its variance is that of labels still to come.
    Shape (2n,): first all that are positive (right), then in the same order all that are not.

    Parameters
    ----------
    probabilities
        That the label is positive; of a multiclass prediction, that the decision is right.
    weights, counts
        As in ``LabelledPredictions``.
    """
    if task is Task.BINARY:
        labels: Values = np.repeat([1.0, 0.0], len(scores))
    else:
        labels = np.concatenate([decisions, np.full(len(decisions), _ANOTHER_CLASS)])
    seen = np.ones(len(scores)) if counts is None else counts
    return LabelledPredictions(
        task,
        labels,
        np.concatenate([decisions, decisions]),
        np.concatenate([scores, scores]),
        None if weights is None else np.concatenate([weights, weights]),
        np.concatenate([seen * probabilities, seen * (1 - probabilities)]),
    )
