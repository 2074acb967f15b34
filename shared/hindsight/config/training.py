"""The configuration of training, the gate and the rollout of versions."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator

from hindsight.config.metrics import Metric
from hindsight.config.types import OpenFraction, PositiveDuration, Section

MAX_APPROVAL = timedelta(days=30)  # the run waits that long, and no other of the model can start
PIPELINE_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,63}(\.[A-Za-z_][A-Za-z0-9_]{0,63}){0,4}:[A-Za-z_][A-Za-z0-9_]{0,63}$"


class Candidate(StrEnum):
    """A built-in family of models, each a classifier and a regressor; or the deployment's own pipeline."""

    LOGISTIC_REGRESSION = "logistic_regression"
    LINEAR_REGRESSION = "linear_regression"
    GRADIENT_BOOSTING = "gradient_boosting"
    CUSTOM = "custom"


class Search(Section):
    """The budget of the search for better settings of a built-in candidate: trials, and time.

    The first trial is of the default settings, so that one trial is no search.
    """

    trials: Annotated[int, Field(ge=1, le=200)] = 12
    seconds: Annotated[int, Field(ge=1, le=600)] = 60


class Training(Section):
    """The window of predictions trained on; ``holdout`` is its newest share by prediction time.

    ``candidates`` defaults to the linear model of the task, gradient boosting and, where there is one, the
    ``pipeline``: ``module:function`` of the folder ``pipelines/`` of the deployment. ``threshold`` is the probability
    from which a binary answer is positive; ``best`` looks for the one with the best value of the gate's metric. Rows
    lose half their weight every ``recency_half_life``. Where the share of a class, for regression of the labels up to
    any number, differs between the newest labels and those before by more than ``max_label_shift`` beyond doubt,
    nothing is trained.
    """

    window: PositiveDuration = timedelta(days=90)
    holdout: OpenFraction = 0.2
    candidates: tuple[Candidate, ...] | None = Field(default=None, min_length=1, max_length=10)
    pipeline: Annotated[str, Field(pattern=PIPELINE_NAME)] | None = None
    search: Search = Search()
    class_weight: Literal["none", "balanced"] = "none"
    recency_half_life: PositiveDuration | None = None
    calibration: Literal["auto", "none"] = "auto"
    threshold: OpenFraction | Literal["best"] = 0.5
    max_label_shift: OpenFraction | None = None
    max_rows: Annotated[int, Field(ge=100, le=100_000_000)] = 1_000_000
    seed: Annotated[int, Field(ge=0, le=2**31)] = 7


class Gate(Section):
    """The requirements of a challenger on the holdout before it serves.

    ``floor`` is the worst acceptable value of the metric. The lower bound of the paired difference to the champion,
    at ``confidence``, must exceed ``margin`` (negative: not worse by more than that). With ``approval`` a person has to
    agree too, within ``approval_expires``.
    """

    metric: Metric | None = None
    floor: float | None = None
    margin: float = 0.0
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    max_slice_drop: Annotated[float, Field(gt=0)] = 0.05
    min_slice_rows: Annotated[int, Field(ge=1)] = 100
    approval: bool = False
    approval_expires: PositiveDuration = timedelta(days=3)

    @field_validator("approval_expires")
    @classmethod
    def _ends(cls, length: timedelta) -> timedelta:
        if length > MAX_APPROVAL:
            raise ValueError(f"must not be longer than {MAX_APPROVAL.days} days")
        return length


class Strategy(StrEnum):
    """The rollout of a proven version; the first version of a model always takes all traffic."""

    DIRECT = "direct"
    CANARY = "canary"
    SHADOW = "shadow"


class Canary(Section):
    """The share of entities a canary answers; it is decided by that many matured labels, withdrawn when too old."""

    share: OpenFraction = 0.1
    min_labels: Annotated[int, Field(ge=1)] = 200
    max_age: PositiveDuration = timedelta(days=14)


class Shadow(Section):
    """The end of a shadow, whose predictions are not served: matured labels for a decision, and its greatest age."""

    min_labels: Annotated[int, Field(ge=1)] = 200
    max_age: PositiveDuration = timedelta(days=14)


class Probation(Section):
    """The probation of a promoted version, in matured labels or else in time, and the drop that rolls it back.

    The drop is in the unit of the gate's metric; by default 0.05, and of a loss a fifth. A trial may be worse by as
    much.
    """

    min_labels: Annotated[int, Field(ge=1)] = 200
    max_drop: Annotated[float, Field(gt=0)] | None = None
    max_age: PositiveDuration = timedelta(days=30)


class Deployment(Section):
    """The rollout: all traffic at once, a share of it first, or beside the champion, unserved."""

    strategy: Strategy = Strategy.DIRECT
    canary: Canary = Canary()
    shadow: Shadow = Shadow()
    probation: Probation = Probation()
