"""MaturedLabels label records as arrays: labels beside the decisions and scores given before they came."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.metrics import Values, as_targets
from hindsight.evaluation.weights import label_weights
from hindsight.label_records.columns import Mask, ValueColumn
from hindsight.label_records.rows import LabelRows


@dataclass(frozen=True, slots=True)
class MaturedLabels:
    """Records that can be read, as rows and as arrays; ``unreadable`` ones do not fit the task and are left out."""

    rows: LabelRows
    predictions: LabelledPredictions
    unreadable: int

    def at(self, places: Values) -> "MaturedLabels":
        """Pick some of the records, by their indices."""
        return MaturedLabels(self.rows.at(places), self.predictions.at(places), self.unreadable)


def read_matured(rows: Sequence[LabelFields], configuration: ModelConfiguration) -> MaturedLabels:
    """Read records of ``labels/``, the newest of each prediction, weighted by ``label_weights``."""
    task, records = configuration.task, LabelRows.of(rows)
    labels, decisions = (targets(records.values(name), task) for name in ("value", "decision"))
    scores = records.values("score").numbers
    readable = _readable(task, labels, decisions, scores)
    kept = records.at(readable)
    probabilities, classes = kept.mappings("probabilities").table() if task is Task.MULTICLASS else (None, ())
    predictions = LabelledPredictions(
        task,
        labels[readable],
        decisions[readable],
        scores[readable],
        label_weights(kept, configuration),
        probabilities=probabilities,
        classes=classes,
    )
    return MaturedLabels(kept, predictions, len(records) - len(kept))


def is_readable(rows: LabelRows, task: Task) -> Mask:
    """Find the records that fit the task."""
    labels, decisions = (targets(rows.values(name), task) for name in ("value", "decision"))
    return _readable(task, labels, decisions, rows.values("score").numbers)


def _readable(task: Task, labels: Values, decisions: Values, scores: Values) -> Mask:
    readable = np.isfinite(scores)
    if task is not Task.MULTICLASS:
        readable &= np.isfinite(labels) & np.isfinite(decisions)
    return readable


def targets(column: ValueColumn, task: Task) -> Values:
    """Convert a column of label values or decisions by ``as_targets``."""
    return column.numbers if task is Task.REGRESSION else column.mapped(lambda values: as_targets(values, task))
