"""What counts as drift, and as a performance that is no longer good enough."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from hindsight.config.metrics import Metric
from hindsight.config.types import OpenFraction, PositiveDuration, Section

RowCount = Annotated[int, Field(ge=1, le=100_000_000)]


class DriftMethod(StrEnum):
    """The distance that measures the size of a drift."""

    PSI = "psi"
    JENSEN_SHANNON = "jensen_shannon"
    WASSERSTEIN = "wasserstein"


class DriftPolicy(Section):
    """A feature drifts when a difference is large enough and too unlikely to be chance.

    Parameters
    ----------
    method, threshold
        The distance between the distributions of a feature's values, and from where it is large.
    violations
        From where a share of the rows is large: by how much the missing values changed, or the unseen categories, the
        values of another type or those out of range became more.
    alpha
        The chance that any of a champion's checks, over its whole life, calls a difference significant that is none.
    share
        The share of the features that must drift for the model's inputs to count as drifted.
    multivariate, multivariate_auc
        Whether a classifier tries to tell the window's rows from the training's, and from which ROC AUC on they drift.
    """

    method: DriftMethod = DriftMethod.PSI
    threshold: Annotated[float, Field(gt=0, le=100)] = 0.2
    violations: Annotated[float, Field(gt=0, le=1)] = 0.05
    alpha: OpenFraction = 0.01
    share: Annotated[float, Field(gt=0, le=1)] = 0.3
    multivariate: bool = False
    multivariate_auc: Annotated[float, Field(gt=0.5, lt=1)] = 0.65


class PerformancePolicy(Section):
    """Live performance is too low below ``min`` (above ``max`` for losses) or ``max_drop`` worse than at the gate.

    ``metric`` defaults to accuracy, for regression to the mean absolute error.
    """

    metric: Metric | None = None
    min: float | None = None
    max: float | None = None
    max_drop: Annotated[float, Field(gt=0)] | None = None
    confidence: OpenFraction = 0.95
    min_labels: RowCount = 200


class Monitoring(Section):
    """How far a check looks back, how many rows a verdict needs, and what it compares."""

    window: PositiveDuration = timedelta(days=7)
    min_rows: RowCount = 500
    drift: DriftPolicy = DriftPolicy()
    performance: PerformancePolicy = PerformancePolicy()
    slices: tuple[str, ...] = Field(default=(), max_length=20)
