"""Contests between versions for the tests of the gate."""

from typing import Any

import numpy as np
import pandas as pd

from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.registry.version import Check
from hindsight.training.gate.gate import Contest, baseline_predictions
from hindsight.training.models.scoring import Predictions
from tests.unit.training.world import revision

ROWS = 400


def configuration(task: str = "binary", **sections: Any) -> ModelConfiguration:
    return revision(task, **sections).configuration


def binary(scores: Any) -> Predictions:
    scores = np.asarray(scores, dtype=np.float64)
    return Predictions(Task.BINARY, (scores >= 0.5).astype(np.float64), scores)


def right_with(chance: float, labels: Any, rng: np.random.Generator) -> Predictions:
    """Answers that are right with a chance, each row by itself."""
    right = rng.random(len(labels)) < chance
    return binary(np.where(right, labels, 1 - labels) * 0.6 + 0.2)


def contest(
    champion: Predictions | None, challenger: Predictions, labels: Any, frame: pd.DataFrame | None = None
) -> Contest:
    baseline = baseline_predictions(
        Task.BINARY, Metric.ACCURACY, {"rows": 10, "classes": {"0": 6, "1": 4}}, len(labels)
    )
    return Contest(
        labels=labels,
        frame=pd.DataFrame() if frame is None else frame,
        challenger=challenger,
        baseline=baseline,
        champion=champion,
    )


def named(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}
