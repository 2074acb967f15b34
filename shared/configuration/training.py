"""What a challenger is trained on, what it must prove, and how it is put into service."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.configuration.metrics import Metric
from shared.configuration.types import OpenFraction, PositiveDuration, Section


class Candidate(StrEnum):
    """A built-in family of models; each exists as a classifier and as a regressor."""

    LOGISTIC_REGRESSION = "logistic_regression"
    LINEAR_REGRESSION = "linear_regression"
    GRADIENT_BOOSTING = "gradient_boosting"


class Training(Section):
    """The window of predictions trained on; ``holdout`` is its newest share by prediction time.

    ``candidates`` defaults to the linear model of the task and gradient boosting.
    """

    window: PositiveDuration = timedelta(days=90)
    holdout: OpenFraction = 0.2
    candidates: tuple[Candidate, ...] | None = Field(default=None, min_length=1, max_length=10)
    max_rows: Annotated[int, Field(ge=100, le=100_000_000)] = 1_000_000
    seed: Annotated[int, Field(ge=0, le=2**31)] = 7


class Gate(Section):
    """What a challenger must prove on the holdout before it serves.

    ``floor`` is the worst acceptable value of the metric. The lower bound of the paired difference to the champion,
    at ``confidence``, must exceed ``margin`` (negative: not worse by more than that).
    """

    metric: Metric | None = None
    floor: float | None = None
    margin: float = 0.0
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    max_slice_drop: Annotated[float, Field(gt=0)] = 0.05
    min_slice_rows: Annotated[int, Field(ge=1)] = 100
    approval: Literal[False] = False


class Canary(Section):
    """The share of entities a canary answers; it is decided by that many matured labels, withdrawn when too old."""

    share: OpenFraction = 0.1
    min_labels: Annotated[int, Field(ge=1)] = 200
    max_age: PositiveDuration = timedelta(days=14)


class Shadow(Section):
    """When a shadow, which answers nobody, is decided: with so many matured labels, or withdrawn when too old."""

    min_labels: Annotated[int, Field(ge=1)] = 200
    max_age: PositiveDuration = timedelta(days=14)


class Probation(Section):
    """How long a promoted version is watched, in matured labels, and the drop that takes it back.

    The drop is in the unit of the gate's metric; by default 0.05, and of a loss a fifth. A trial may be worse by as
    much.
    """

    min_labels: Annotated[int, Field(ge=1)] = 200
    max_drop: Annotated[float, Field(gt=0)] | None = None


class Deployment(Section):
    """How a proven version takes over; ``direct`` moves all traffic at once."""

    strategy: Literal["direct"] = "direct"
    canary: Canary = Canary()
    shadow: Shadow = Shadow()
    probation: Probation = Probation()
