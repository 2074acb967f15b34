"""The policies of monitoring: drift, data quality and live performance."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hindsight.config.metrics import Metric
from hindsight.config.types import Moment, OpenFraction, PositiveDuration, Section, require_consistent
from hindsight.core.errors import Fault

UPLOAD_KEY = r"^uploads/model=[^/\x00-\x1f\x7f]+/[^\x00-\x1f\x7f]{1,512}$"
RowCount = Annotated[int, Field(ge=1, le=100_000_000)]


class DriftMethod(StrEnum):
    """The distance that measures the size of a drift."""

    PSI = "psi"
    JENSEN_SHANNON = "jensen_shannon"
    WASSERSTEIN = "wasserstein"


class DriftPolicy(Section):
    """A feature drifts when a difference is large enough and too unlikely to be chance."""

    method: DriftMethod = DriftMethod.PSI
    """The distance between a feature's values in training and in service."""
    threshold: Annotated[float, Field(gt=0, le=100)] = 0.2
    """From that distance on a difference is large; with `jensen_shannon` at most 1."""
    alpha: OpenFraction = 0.01
    """The chance that, over a champion's whole life, any check calls chance a drift."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.3
    """The model's inputs drift when that share of the features does."""
    multivariate: bool = False
    """Also train a classifier that tries to separate recent rows from training rows."""
    multivariate_auc: Annotated[float, Field(gt=0.5, lt=1)] = 0.65
    """From that ROC AUC of the classifier on the inputs drift."""


class DataQualityPolicy(Section):
    """The data quality of a feature is bad when a rate of it has changed by ``threshold``, a share of the rows.

    That is the rate of missing values, which may change either way, or that of unseen categories, of values of another
    type or of values out of range, which must grow. A rate that changes significantly counts as drift of its feature.
    """

    threshold: Annotated[float, Field(gt=0, le=1)] = 0.05
    """A rate of missing, unseen, mistyped or out-of-range values that changes by so much is bad."""


class PerformancePolicy(Section):
    """Live performance is too low below ``min`` (above ``max`` for losses) or ``max_drop`` worse than at the gate.

    The stricter one is the line that is tested. A value beyond it is ``suspect`` until that is proven, then ``low``.
    """

    metric: Metric | None = None
    """The metric of live performance; without it `roc_auc`, of several classes `accuracy`, of numbers `mae`."""
    min: float | None = None
    """Live performance is too low below it; for metrics of which more is better."""
    max: float | None = None
    """Live performance is too low above it; for losses."""
    max_drop: Annotated[float, Field(gt=0)] | None = None
    """Live performance is too low when it is worse by so much than the version was at the gate."""
    confidence: OpenFraction = 0.95
    """Of versions that are exactly on the line, at most 1 − `confidence` are ever called `low` by chance."""
    min_labels: RowCount = 200
    """A verdict needs so many labels."""


class FirstRows(Section):
    """A baseline of a version's first predictions."""

    rows: RowCount
    """So many of a version's first predictions, rounded up to whole hours."""


class SpanOfTime(Section):
    """A baseline of the predictions of a span of time, in whole hours."""

    # Said here: the description of a field that has an alias is not read from below it.
    since: Moment = Field(alias="from", description="From when on; the beginning of its hour counts.")
    until: Moment = Field(alias="to", description="Up to when, in whole hours.")

    @model_validator(mode="after")
    def _since_before_until(self) -> Self:
        if self.since >= self.until:
            require_consistent([Fault("to", "does not lie after from")])
        return self


class StoredRows(Section):
    """A baseline of rows that were uploaded to the lake: features and scores, as JSON Lines or CSV."""

    key: Annotated[str, Field(pattern=UPLOAD_KEY)]
    """The key of the object, under `uploads/`."""


class Monitoring(Section):
    """The window of a check, the rows a verdict needs, and the policies it judges by."""

    window: PositiveDuration = timedelta(days=7)
    """Each check looks at the predictions of that time."""
    min_rows: RowCount = 500
    """A verdict on drift needs so many rows."""
    baseline: Literal["training"] | FirstRows | SpanOfTime | StoredRows = "training"
    """The rows that inputs are compared with: of training, or of a version not trained here its first 5,000."""
    drift: DriftPolicy = DriftPolicy()
    """Limits beyond which inputs or scores count as drifted."""
    data_quality: DataQualityPolicy = DataQualityPolicy()
    """Limits beyond which a feature's data are bad."""
    performance: PerformancePolicy = PerformancePolicy()
    """Limits below which live performance is too low."""
    slices: tuple[str, ...] = Field(default=(), max_length=20)
    """Features whose values are judged by themselves, in live performance, gate and model card."""
