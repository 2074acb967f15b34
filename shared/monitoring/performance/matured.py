"""Matured label records as arrays: labels beside the decisions and scores given before they came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.configuration.metrics import Task
from shared.configuration.model import ModelConfiguration
from shared.monitoring.performance.answers import LabelledAnswers
from shared.monitoring.performance.metrics import Floats, Values, as_numbers, as_targets
from shared.monitoring.performance.weights import review_weights

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Matured:
    """Records that can be read, as rows and as arrays; ``unreadable`` ones do not fit the task and are left out."""

    rows: list[Row]
    answers: LabelledAnswers
    unreadable: int

    def at(self, places: Values) -> "Matured":
        """Return some of the records, by their indices."""
        return Matured([self.rows[place] for place in places], self.answers.at(places), self.unreadable)


def read_matured(rows: Sequence[Row], configuration: ModelConfiguration) -> Matured:
    """Return records of ``examples/``, the newest of each prediction, weighted as ``review_weight`` says."""
    task = configuration.task
    labels, decisions = (as_targets([row[name] for row in rows], task) for name in ("value", "decision"))
    scores = as_numbers([row["score"] for row in rows])
    readable = np.isfinite(scores)
    if task is not Task.MULTICLASS:
        readable &= np.isfinite(labels) & np.isfinite(decisions)
    kept = [row for row, keep in zip(rows, readable, strict=True) if keep]
    probabilities, classes = _probabilities(kept) if task is Task.MULTICLASS else (None, ())
    answers = LabelledAnswers(
        task,
        labels[readable],
        decisions[readable],
        scores[readable],
        review_weights(kept, configuration.labels),
        probabilities=probabilities,
        classes=classes,
    )
    return Matured(kept, answers, len(rows) - len(kept))


def _probabilities(rows: Sequence[Row]) -> tuple[Floats | None, tuple[str, ...]]:
    """Return the probabilities of all classes, shape (n, classes), and the classes; NaN in rows without any."""
    given = [row.get("probabilities") for row in rows]
    classes = tuple(sorted({name for chances in given if isinstance(chances, Mapping) for name in chances}))
    if not classes:
        return None, ()
    table = np.full((len(rows), len(classes)), np.nan)
    for place, chances in enumerate(given):
        if isinstance(chances, Mapping):
            table[place] = np.nan_to_num(as_numbers([chances.get(name, 0.0) for name in classes]))
    return table, classes
