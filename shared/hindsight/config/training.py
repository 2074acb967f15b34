"""The configuration of training, the gate and the rollout of versions."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator

from hindsight.config.metrics import Metric
from hindsight.config.types import OpenFraction, PositiveDuration, Section

MAX_APPROVAL = timedelta(days=30)  # the run waits that long, and no other of the model can start
MAX_DEADLINE = timedelta(days=30)  # the same of a run that waits for a version made elsewhere
PIPELINE_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,63}(\.[A-Za-z_][A-Za-z0-9_]{0,63}){0,4}:[A-Za-z_][A-Za-z0-9_]{0,63}$"


class Candidate(StrEnum):
    """A built-in family of models, each a classifier and a regressor; or the deployment's own pipeline."""

    LOGISTIC_REGRESSION = "logistic_regression"
    LINEAR_REGRESSION = "linear_regression"
    GRADIENT_BOOSTING = "gradient_boosting"
    CUSTOM = "custom"


class TrainedBy(StrEnum):
    """The trainer of a model's versions."""

    HINDSIGHT = "hindsight"
    EXTERNAL = "external"


class Search(Section):
    """The budget of the search for better settings of a built-in candidate: trials, and time.

    The first trial is of the default settings, so that one trial is no search.
    """

    trials: Annotated[int, Field(ge=1, le=200)] = 12
    """So many settings of a built-in candidate are tried; 1 is no search."""
    seconds: Annotated[int, Field(ge=1, le=600)] = 60
    """The search ends after that many seconds."""


class Training(Section):
    """The predictions to train on, the estimators and their settings.

    Where the share of a class, for regression of the labels up to any number, differs between the newest labels and
    those before significantly by more than ``max_label_shift``, nothing is trained.
    """

    engine: TrainedBy = TrainedBy.HINDSIGHT
    """The trainer: a run here, or one of your own (`external`), which a run asks for a version and waits for."""
    deadline: PositiveDuration = timedelta(days=7)
    """An `external` engine has that long, at most P30D, to register a version; then the run fails."""
    window: PositiveDuration = timedelta(days=90)
    """The predictions of that long before a run are trained and judged on."""
    holdout: OpenFraction = 0.2
    """The newest share of them judges; the model never learns from it."""
    candidates: tuple[Candidate, ...] | None = Field(default=None, min_length=1, max_length=10)
    """The estimators to train; without it the task's linear model, gradient boosting and your `pipeline`."""
    pipeline: Annotated[str, Field(pattern=PIPELINE_NAME)] | None = None
    """Your own pipeline, `module:function` in `pipelines/`, as the candidate `custom`."""
    search: Search = Search()
    """The duration of the search for better settings."""
    class_weight: Literal["none", "balanced"] = "none"
    """`balanced` gives each class the same total weight."""
    recency_half_life: PositiveDuration | None = None
    """A row weighs half as much when it is that much older."""
    calibration: Literal["auto", "none"] = "auto"
    """`auto` corrects probabilities where that is surely better."""
    threshold: OpenFraction | Literal["best"] = 0.5
    """The probability from which the decision is 1; `best` looks for the best by the gate's metric."""
    max_label_shift: OpenFraction | None = None
    """Nothing is trained where a class's share surely changed by more than this."""
    max_rows: Annotated[int, Field(ge=100, le=100_000_000)] = 1_000_000
    """Of more rows only the newest are used."""
    seed: Annotated[int, Field(ge=0, le=2**31)] = 7
    """The seed of all that is drawn: the same rows give the same version."""

    @field_validator("deadline")
    @classmethod
    def _ends(cls, length: timedelta) -> timedelta:
        return _at_most(length, MAX_DEADLINE)


class Gate(Section):
    """The requirements of a challenger on the holdout before it serves.

    The lower bound of the paired difference to the champion, at ``confidence``, must exceed ``margin``.
    """

    metric: Metric | None = None
    """The versions' metric; without it `roc_auc`, of several classes `balanced_accuracy`, of numbers `mae`."""
    floor: float | None = None
    """The worst value of the metric that may serve."""
    margin: float = 0.0
    """A new version must be better than the champion by more than this; negative: worse by no more."""
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    """The confidence of that difference."""
    max_slice_drop: Annotated[float, Field(gt=0)] = 0.05
    """On no slice may it be worse by more than this, unless chance explains it."""
    min_slice_rows: Annotated[int, Field(ge=1)] = 100
    """Slices with fewer rows are not judged."""
    approval: bool = False
    """A person must agree before a version serves."""
    approval_expires: PositiveDuration = timedelta(days=3)
    """Without an answer the version is rejected after that long, at most P30D."""

    @field_validator("approval_expires")
    @classmethod
    def _ends(cls, length: timedelta) -> timedelta:
        return _at_most(length, MAX_APPROVAL)


class Strategy(StrEnum):
    """The rollout of a proven version; the first version of a model always takes all traffic."""

    DIRECT = "direct"
    CANARY = "canary"
    SHADOW = "shadow"


class Undecided(StrEnum):
    """The end of a rollout that is neither shown to be worse nor shown to be good enough in its time."""

    ABORT = "abort"
    PROMOTE = "promote"


class Canary(Section):
    """The share of entities a canary answers, the fewest labels that decide it, and its end when it is too old."""

    share: OpenFraction = 0.1
    """The share of entities that the new version answers."""
    min_labels: Annotated[int, Field(ge=1)] = 200
    """A decision needs so many labels of each version."""
    max_age: PositiveDuration = timedelta(days=14)
    """After that long the canary ends, decided or not."""
    undecided: Undecided = Undecided.ABORT
    """The end of one that is undecided then: `abort` keeps the champion, `promote` takes the new version."""


class Shadow(Section):
    """The fewest labels that decide a shadow, whose predictions are not served, and its end when it is too old."""

    min_labels: Annotated[int, Field(ge=1)] = 200
    """A decision needs so many labels."""
    max_age: PositiveDuration = timedelta(days=14)
    """After that long the shadow ends, decided or not."""
    undecided: Undecided = Undecided.ABORT
    """The end of one that is undecided then: `abort` keeps the champion, `promote` takes the new version."""


class Probation(Section):
    """The probation of a promoted version, in matured labels or else in time, and the drop that rolls it back.

    The drop is in the unit of the gate's metric. A rollout must be shown not to be worse by as much.
    """

    min_labels: Annotated[int, Field(ge=1)] = 200
    """Probation is passed after so many labels."""
    max_drop: Annotated[float, Field(gt=0)] | None = None
    """A version that is surely worse by more is rolled back; without it 0.05, of a loss a fifth."""
    max_age: PositiveDuration = timedelta(days=30)
    """Probation ends after that long at the latest."""


class Deployment(Section):
    """The rollout: all traffic at once, a share of it first, or beside the champion, unserved."""

    strategy: Strategy = Strategy.DIRECT
    """`direct` serves all at once, `canary` a share first, `shadow` beside the champion, unserved."""
    canary: Canary = Canary()
    """The terms of a canary."""
    shadow: Shadow = Shadow()
    """The terms of a shadow."""
    probation: Probation = Probation()
    """The time in which a version that took over is still watched."""


def _at_most(length: timedelta, longest: timedelta) -> timedelta:
    if length > longest:
        raise ValueError(f"must not be longer than {longest.days} days")
    return length
