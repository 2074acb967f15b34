"""The policies of monitoring: drift, data quality and live performance."""

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
        The distance between the distributions of a feature's values, and the one at which it is large.
    alpha
        The chance that any of a champion's checks, over its whole life, calls a difference significant that is none.
    share
        The share of the features that must drift for the model's inputs to count as drifted.
    multivariate, multivariate_auc
        Whether a classifier tries to separate window and training, and the ROC AUC at which the window drifts.
    """

    method: DriftMethod = DriftMethod.PSI
    threshold: Annotated[float, Field(gt=0, le=100)] = 0.2
    alpha: OpenFraction = 0.01
    share: Annotated[float, Field(gt=0, le=1)] = 0.3
    multivariate: bool = False
    multivariate_auc: Annotated[float, Field(gt=0.5, lt=1)] = 0.65


class DataQualityPolicy(Section):
    """The data quality of a feature is bad when a rate of it has changed by ``threshold``, a share of the rows.

    That is the rate of missing values, which may change either way, or that of unseen categories, of values of another
    type or of values out of range, which must grow. A rate that changes significantly counts as drift of its feature.
    """

    threshold: Annotated[float, Field(gt=0, le=1)] = 0.05


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
    """The window of a check, the rows a verdict needs, and the policies it judges by."""

    window: PositiveDuration = timedelta(days=7)
    min_rows: RowCount = 500
    drift: DriftPolicy = DriftPolicy()
    data_quality: DataQualityPolicy = DataQualityPolicy()
    performance: PerformancePolicy = PerformancePolicy()
    slices: tuple[str, ...] = Field(default=(), max_length=20)
