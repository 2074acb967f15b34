"""Streams of scored predictions, whose outcomes come later, and the estimators that their holdouts teach."""

from functools import cache
from typing import Any

import numpy as np

from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.evaluation.metrics import Floats, Values
from hindsight.monitoring.estimation.estimator import Estimator
from hindsight.profiles.build import profile_rows
from hindsight.profiles.profile import Profile
from hindsight.registry.schema import Schema
from hindsight.training.estimators.performance_estimator import fit_estimator
from hindsight.training.models.scoring import Predictions

Row = dict[str, Any]


def configured(task: str = "binary", min_rows: int = 500, **performance: Any) -> ModelConfiguration:
    """Build a configuration that follows, of two classes, accuracy where no metric is named."""
    if task == "binary":
        performance = {"metric": "accuracy", **performance}
    return parse_configuration(
        {
            "model": "demand",
            "task": task,
            "features": {"x": {"type": "numeric"}},
            "labels": {"rules": [{"event": "outcome"}]},
            "monitoring": {"performance": performance, "min_rows": min_rows},
        }
    )


def binary_rows(count: int, seed: int, shift: float = 0.0, turn: float = 1.0, sharpness: float = 2.0) -> list[Row]:
    """Scores that are too sure of themselves; ``shift`` moves the inputs, ``turn`` below 1 changes what follows."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=count) + shift
    scores = 1 / (1 + np.exp(-sharpness * 1.5 * signal))
    values = rng.uniform(size=count) < 1 / (1 + np.exp(-sharpness * turn * signal))
    return [
        {
            "prediction_id": f"{seed}-{place}",
            "features": {"x": float(signal[place])},
            "score": float(scores[place]),
            "decision": int(scores[place] >= 0.5),
            "value": int(values[place]),
            "model_version": "v1",
            "kind": "outcome",
            "occurred_at": f"2026-03-{1 + place * 7 // count:02d}T12:00:00.000000Z",
        }
        for place in range(count)
    ]


@cache
def estimator_of_binary_rows(count: int, seed: int) -> Estimator:
    """Fit the estimator to rows of a seed."""
    return learned(binary_rows(count, seed))


def column(rows: list[Row], name: str) -> Values:
    return np.array([row[name] for row in rows])


def learned(rows: list[Row], task: Task = Task.BINARY, seed: int = 7) -> Estimator:
    """Fit the estimator to rows with labels."""
    import pandas as pd

    schema = Schema(model="demand", version="v1", task=task, metric=Metric.ACCURACY, features={}, classes=())
    multiclass = task is Task.MULTICLASS
    labels: Values = column(rows, "value") if multiclass else column(rows, "value").astype(np.float64)
    decisions: Values = column(rows, "decision") if multiclass else column(rows, "decision").astype(np.float64)
    scores: Floats = column(rows, "score").astype(np.float64)
    fitted = fit_estimator(
        schema,
        pd.DataFrame(index=range(len(rows))),
        labels,
        Predictions(task, decisions, scores),
        seed,
    )
    assert fitted is not None
    return fitted.estimator


def profiled(rows: list[Row], configuration: ModelConfiguration, capacity: int = 2_000) -> Profile:
    return profile_rows(rows, configuration.features, configuration.task, sample_capacity=capacity)
