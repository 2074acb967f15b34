"""The policies of monitoring: drift, data quality and live performance."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hindsight.config.metrics import Metric
from hindsight.config.types import (
    FEATURE_NAME,
    FirstMoment,
    LastMoment,
    Moment,
    OpenFraction,
    PositiveDuration,
    Section,
    require_consistent,
)
from hindsight.core.errors import Fault

UPLOAD_KEY = r"^uploads/model=[^/\x00-\x1f\x7f]+/[^\x00-\x1f\x7f]{1,512}$"
Threshold = Annotated[float, Field(gt=0, le=100)]
FeatureName = Annotated[str, Field(pattern=FEATURE_NAME)]
REASON = r"^[^\x00-\x1f\x7f]{1,200}$"
RowCount = Annotated[int, Field(ge=1, le=100_000_000)]


class DriftMethod(StrEnum):
    """The distance that measures the size of a drift."""

    PSI = "psi"
    JENSEN_SHANNON = "jensen_shannon"
    WASSERSTEIN = "wasserstein"


class DriftWeights(StrEnum):
    """The weights of features in the share that drifts."""

    EQUAL = "equal"
    IMPORTANCE = "importance"


class FeatureDriftPolicy(Section):
    """Exceptions for one feature from the policy on drift."""

    threshold: Threshold | None = None
    """From that distance on a difference of this feature is large, instead of the `threshold` of all."""
    weight: Annotated[float, Field(ge=0, le=1000)] | None = None
    """The weight of the feature in `share`, 1 being usual; with 0 it is judged and shown, and does not count."""
    ignore: bool = False
    """Do not compare the feature at all, such as an id that is new in each row."""

    @model_validator(mode="after")
    def _ignored_has_no_other(self) -> Self:
        others = [name for name in ("threshold", "weight") if getattr(self, name) is not None]
        require_consistent(
            Fault(name, "decides nothing of a feature that is ignored") for name in others if self.ignore
        )
        return self


class DriftPolicy(Section):
    """A feature drifts when a difference is large enough and too unlikely to be chance."""

    method: DriftMethod = DriftMethod.PSI
    """The distance between a feature's values in training and in service."""
    threshold: Threshold = 0.2
    """From that distance on a difference is large; with `jensen_shannon` at most 1."""
    alpha: OpenFraction = 0.01
    """The chance that, over a champion's whole life, any check calls chance a drift."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.3
    """The model's inputs drift when that share of the features does, each by its weight."""
    weights: DriftWeights = DriftWeights.EQUAL
    """The weights of features in `share`: all the same, or by their importance on the version's model card."""
    features: dict[FeatureName, FeatureDriftPolicy] = Field(default={}, max_length=2000)
    """Exceptions by feature: another threshold, another weight, or none at all."""
    multivariate: bool = False
    """Also train a classifier that tries to separate recent rows from training rows."""
    multivariate_auc: Annotated[float, Field(gt=0.5, lt=1)] = 0.65
    """From that ROC AUC of the classifier on the inputs drift."""

    @model_validator(mode="after")
    def _thresholds_fit_method(self) -> Self:
        thresholds = {"threshold": self.threshold} | {
            f"features.{name}.threshold": one.threshold for name, one in self.features.items() if one.threshold
        }
        too_far = [path for path, value in thresholds.items() if value > 1]
        if self.method is DriftMethod.JENSEN_SHANNON:
            require_consistent(Fault(path, f"{self.method} lies from 0 to 1") for path in too_far)
        return self

    def threshold_of(self, feature: str) -> float:
        """Look up the distance from which a difference of a feature is large."""
        given = self.features.get(feature)
        return self.threshold if given is None or given.threshold is None else given.threshold

    @property
    def ignored(self) -> list[str]:
        """The features that are not compared, sorted."""
        return sorted(name for name, given in self.features.items() if given.ignore)

    def weights_of(self, features: Iterable[str], importances: Mapping[str, float]) -> dict[str, float]:
        """Weigh features: as given, else by their importance where there is any, else all the same.

        Importances are scaled so that the mean of those that are known is 1; a feature without one has none.

        >>> policy = DriftPolicy(features={"plan": FeatureDriftPolicy(weight=3)})
        >>> policy.weights_of(["age", "plan"], {})
        {'age': 1.0, 'plan': 3.0}
        >>> policy.weights_of(["age", "plan", "new"], {"age": 0.75, "plan": 0.25})
        {'age': 1.5, 'plan': 3.0, 'new': 0.0}
        """
        mean = sum(importances.values()) / len(importances) if importances else 0.0
        usual = {name: importances.get(name, 0.0) / mean if mean else 1.0 for name in features}
        given = {name: one.weight for name, one in self.features.items() if one.weight is not None and name in usual}
        return usual | given


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


class KnownChange(Section):
    """A change that an operator knows of, such as a price reform or a holiday.

    A check of drift whose window holds a part of it has its reason, and rings no alarm.
    """

    since: FirstMoment = Field(alias="from", description="From when on; a day such as 2026-03-03 from its start.")
    until: LastMoment | None = Field(
        default=None, alias="to", description="Up to when; a day is included (UTC). Without it, for 24 hours."
    )
    reason: Annotated[str, Field(pattern=REASON)]
    """The change in words, which checks repeat."""

    @model_validator(mode="after")
    def _since_before_until(self) -> Self:
        if self.since >= self.end:
            require_consistent([Fault("to", "does not lie after from")])
        return self

    @property
    def end(self) -> datetime:
        """The moment at which it ends."""
        return self.since + timedelta(days=1) if self.until is None else self.until


class Monitoring(Section):
    """The window of a check, the rows a verdict needs, and the policies it judges by."""

    window: PositiveDuration = timedelta(days=7)
    """Each check looks at the predictions of that time."""
    min_rows: RowCount = 500
    """A verdict on drift needs so many rows."""
    baseline: Literal["training"] | FirstRows | SpanOfTime | StoredRows = "training"
    """The rows that inputs are compared with: of training, or of a version not trained here its first 5,000."""
    known_changes: tuple[KnownChange, ...] = Field(default=(), max_length=366)
    """Changes that you know of: drift in a window that holds a part of one is suspect, whatever it is."""
    drift: DriftPolicy = DriftPolicy()
    """Limits beyond which inputs or scores count as drifted."""
    data_quality: DataQualityPolicy = DataQualityPolicy()
    """Limits beyond which a feature's data are bad."""
    performance: PerformancePolicy = PerformancePolicy()
    """Limits below which live performance is too low."""
    slices: tuple[str, ...] = Field(default=(), max_length=20)
    """Features whose values are judged by themselves, in live performance, gate and model card."""

    def known_at(self, now: datetime) -> list[KnownChange]:
        """List the known changes of which the window that ends now holds a part."""
        return [change for change in self.known_changes if change.since < now and change.end > now - self.window]
