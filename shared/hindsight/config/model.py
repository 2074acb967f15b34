"""The whole configuration of one model, checked as one."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from hindsight.config.features import Feature, FeatureType
from hindsight.config.feedback import FeedbackRules
from hindsight.config.labels import NUMERIC_AGGREGATES, Aggregate, Exploration, LabelKind, Labels, Rule, canonical_text
from hindsight.config.metrics import DEFAULT_GATE_METRIC, DEFAULT_METRIC, METRICS_BY_TASK, Metric, Task
from hindsight.config.monitoring import FeatureName, Monitoring, StoredRows
from hindsight.config.review import Review
from hindsight.config.training import Candidate, Deployment, Gate, TrainedBy, Training
from hindsight.config.triggers import Triggers
from hindsight.config.types import (
    MAX_NUMBER,
    MODEL_NAME,
    OUT_OF_RANGE,
    PositiveDuration,
    Section,
    require_consistent,
)
from hindsight.core.errors import Fault, shortened


class ServedBy(StrEnum):
    """The server that answers an app's instances."""

    HINDSIGHT = "hindsight"
    EXTERNAL = "external"


class ModelConfiguration(Section):
    """One revision of a model's configuration."""

    model: Annotated[str, Field(pattern=MODEL_NAME)]
    """The model's name; the address of a call gives it, so that a file may leave it out."""
    task: Task
    """The kind of prediction, which decides the metrics, the candidates and what a label may be."""
    serving: ServedBy = ServedBy.HINDSIGHT
    """The server that answers: `predict`, or one of your own (`external`) whose predictions are logged."""
    exploration: Exploration | None = None
    """A share of entities answered with one decision whatever the version decides, so that hidden outcomes are seen."""
    features: dict[FeatureName, Feature] = Field(min_length=1, max_length=2000)
    """The inputs by name; a prediction with any other is rejected, one that is left out is missing."""
    labels: Labels
    """Rules that make labels of feedback."""
    feedback: FeedbackRules = FeedbackRules()
    """Requirements on feedback beside an event that a rule reads."""
    review: Review = Review()
    """Predictions that people are asked to label."""
    monitoring: Monitoring = Monitoring()
    """Hourly checks and their limits."""
    triggers: Triggers = Triggers()
    """Conditions of automatic retraining."""
    training: Training = Training()
    """Candidates of training, and the predictions they learn from."""
    gate: Gate = Gate()
    """Checks that a new version must pass before it serves."""
    deployment: Deployment = Deployment()
    """The rollout of a version that passed the gate, and the limits at which it is rolled back."""
    retention: PositiveDuration = timedelta(days=400)
    """The predictions, feedback and labels of the model are kept that long."""

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        require_consistent(
            [
                *_label_faults(self),
                *_metric_faults(self),
                *_threshold_faults(self),
                *_candidate_faults(self),
                *_training_faults(self),
                *_feature_faults(self),
                *_review_faults(self),
                *_exploration_faults(self),
                *_window_faults(self),
                *_baseline_faults(self),
            ]
        )
        return self

    @property
    def feature_types(self) -> dict[str, FeatureType]:
        """The types of the declared features, in the order they are declared."""
        return {name: feature.type for name, feature in self.features.items()}

    @property
    def outcome_delay(self) -> timedelta:
        """The time after a prediction at which its outcome is due, unless the prediction has its own."""
        after_default = self.labels.default.after if self.labels.default else timedelta(0)
        return self.labels.longest_window or after_default

    @property
    def performance_metric(self) -> Metric:
        """The metric live performance is judged by; by default of two classes what the gate judges by by default."""
        return self.monitoring.performance.metric or self._default(DEFAULT_METRIC)

    @property
    def gate_metric(self) -> Metric:
        """The metric a challenger is judged by; by default one that a threshold can be the best of, if it is to be."""
        return self.gate.metric or self._default(DEFAULT_GATE_METRIC)

    def _default(self, by_task: Mapping[Task, Metric]) -> Metric:
        # A threshold can be the best by it, as it cannot by the ROC AUC.
        return Metric.BALANCED_ACCURACY if self.training.threshold == "best" else by_task[self.task]

    @property
    def is_trained_elsewhere(self) -> bool:
        """True if a run asks another trainer for its version."""
        return self.training.engine is TrainedBy.EXTERNAL

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The candidates to train, by default the task's linear model, gradient boosting and the user-defined one."""
        linear = Candidate.LINEAR_REGRESSION if self.task is Task.REGRESSION else Candidate.LOGISTIC_REGRESSION
        own = () if self.training.pipeline is None else (Candidate.CUSTOM,)
        return self.training.candidates or (linear, Candidate.GRADIENT_BOOSTING, *own)


def _label_faults(configuration: ModelConfiguration) -> Iterator[Fault]:
    labels, task = configuration.labels, configuration.task
    for position, rule in enumerate(labels.rules):
        path = f"labels.rules[{position}]"
        for name, value in rule.constants:
            if problem := unfit_label(value, task):
                yield Fault(f"{path}.{name}", problem)
        if rule.positive is not None and task is not Task.BINARY:
            yield Fault(f"{path}.positive", f"is for binary tasks, not {task}")
        for name, problem in _unreachable(rule):
            yield Fault(f"{path}.{name}", problem)
        if rule.aggregate in NUMERIC_AGGREGATES and rule.map is not None:
            yield Fault(f"{path}.map", f"cannot map what {rule.aggregate} computes; use positive")
    if labels.default is not None and (problem := unfit_label(labels.default.value, task)):
        yield Fault("labels.default.value", problem)


def _unreachable(rule: Rule) -> list[tuple[str, str]]:
    """List the parts of a rule that no value can meet: it would label all alike, or nothing."""
    is_computed = rule.aggregate is Aggregate.COUNT or rule.aggregate in NUMERIC_AGGREGATES
    least = 1.0 if rule.aggregate is Aggregate.COUNT else -MAX_NUMBER
    never = f"is nothing that {rule.aggregate} can compute" if is_computed else "is met by no number that is taken"
    wanted = list(rule.map or {}) if rule.aggregate is Aggregate.COUNT else []
    faults = [(f"map.{key}", never) for key in wanted if not _is_computed(key, rule.aggregate)]
    if rule.positive is None:
        return faults
    equals = rule.positive.equals
    # True is compared as the number 1.
    equal = canonical_text(int(equals) if isinstance(equals, bool) else equals)
    if is_computed and equals is not None and not _is_computed(equal, rule.aggregate):
        faults.append(("positive.equals", never))
    if rule.positive.greater_than is not None and rule.positive.greater_than >= MAX_NUMBER:
        faults.append(("positive.greater_than", never))
    if rule.positive.less_than is not None and rule.positive.less_than <= least:
        faults.append(("positive.less_than", never))
    if rule.positive.at_most is not None and rule.positive.at_most < least:
        faults.append(("positive.at_most", never))
    return faults


def _is_computed(text: str, aggregate: Aggregate) -> bool:
    """Check whether an aggregate can compute the number that a canonical text writes."""
    try:
        number = float(text)
    except ValueError:
        return False
    written = text == canonical_text(number) and abs(number) <= MAX_NUMBER
    return written and (aggregate is not Aggregate.COUNT or (number >= 1 and number.is_integer()))


def unfit_label(value: bool | int | float | str, task: Task) -> str | None:
    """Explain why a value cannot be a label of the task, None if it can.

    >>> unfit_label(2, Task.BINARY)
    'must be 0 or 1 for a binary task'
    """
    if task is Task.BINARY and canonical_text(value) not in {"0", "1", "true", "false"}:
        return "must be 0 or 1 for a binary task"
    if task is not Task.REGRESSION:
        return None
    if isinstance(value, str | bool):
        return "must be a number for a regression task"
    if abs(value) > MAX_NUMBER:
        return OUT_OF_RANGE
    return None


def _metric_faults(configuration: ModelConfiguration) -> Iterator[Fault]:
    performance = configuration.monitoring.performance
    for path, metric in (
        ("monitoring.performance.metric", configuration.performance_metric),
        ("gate.metric", configuration.gate_metric),
    ):
        if metric not in METRICS_BY_TASK[configuration.task]:
            yield Fault(path, f"{metric} does not measure a {configuration.task} model")
    wrong, right = ("max", "min") if configuration.performance_metric.greater_is_better else ("min", "max")
    if getattr(performance, wrong) is not None:
        yield Fault(f"monitoring.performance.{wrong}", f"{configuration.performance_metric} takes {right}")


def _threshold_faults(configuration: ModelConfiguration) -> Iterator[Fault]:
    """List the thresholds that decide nothing: no value of the metric can meet them, or every value does."""
    watched, judged = configuration.performance_metric, configuration.gate_metric
    performance, gate = configuration.monitoring.performance, configuration.gate
    for path, metric, value in (
        ("monitoring.performance.min", watched, performance.min),
        ("monitoring.performance.max", watched, performance.max),
        ("gate.floor", judged, gate.floor),
    ):
        low, high = metric.bounds
        if value is not None and not low <= value <= high:
            yield Fault(path, f"{metric} lies from {low:g} to {high:g}")
    for path, metric, difference in (
        ("monitoring.performance.max_drop", watched, performance.max_drop),
        ("gate.margin", judged, gate.margin),
        ("gate.max_slice_drop", judged, gate.max_slice_drop),
        ("deployment.probation.max_drop", judged, configuration.deployment.probation.max_drop),
    ):
        span = metric.bounds[1] - metric.bounds[0]
        if difference is not None and abs(difference) > span:
            yield Fault(path, f"{metric} cannot differ by more than {span:g}")


def _candidate_faults(configuration: ModelConfiguration) -> Iterator[Fault]:
    regression = configuration.task is Task.REGRESSION
    unfit = Candidate.LOGISTIC_REGRESSION if regression else Candidate.LINEAR_REGRESSION
    candidates = configuration.training.candidates or ()
    for position, candidate in enumerate(candidates):
        path = f"training.candidates[{position}]"
        if candidate is unfit:
            yield Fault(path, f"{candidate} does not fit a {configuration.task} task")
        if candidate in candidates[:position]:
            yield Fault(path, f"{candidate} is listed twice")
        if candidate is Candidate.CUSTOM and configuration.training.pipeline is None:
            yield Fault(path, "custom needs training.pipeline to name it")
    if candidates and Candidate.CUSTOM not in candidates and configuration.training.pipeline is not None:
        yield Fault("training.pipeline", "is not trained unless training.candidates lists custom")


def _training_faults(configuration: ModelConfiguration) -> Iterator[Fault]:
    training, task = configuration.training, configuration.task
    if training.class_weight != "none" and task is Task.REGRESSION:
        yield Fault("training.class_weight", "a regression has no classes")
    if training.threshold != 0.5 and task is not Task.BINARY:
        yield Fault("training.threshold", f"is for binary tasks, not {task}")
    elif training.threshold == "best" and not configuration.gate_metric.chooses_threshold:
        yield Fault("training.threshold", f"{configuration.gate_metric} is best at no threshold in particular")


def _feature_faults(configuration: ModelConfiguration) -> Iterator[Fault]:
    for position, name in enumerate(configuration.monitoring.slices):
        if name not in configuration.features:
            yield Fault(f"monitoring.slices[{position}]", f"{shortened(repr(name))} is not a declared feature")
    for name in configuration.monitoring.drift.features:
        if name not in configuration.features:
            yield Fault(f"monitoring.drift.features.{name}", "is not a declared feature")


def _review_faults(configuration: ModelConfiguration) -> Iterator[Fault]:
    is_read = any(rule.kind is LabelKind.MANUAL for rule in configuration.labels.rules)
    review = configuration.review
    for name in () if is_read else ("random_rate", "uncertain_per_day"):
        if getattr(review, name) > 0:
            yield Fault(f"review.{name}", "asks for answers that no rule reads; add a rule with kind manual")


def _exploration_faults(configuration: ModelConfiguration) -> Iterator[Fault]:
    explored, task = configuration.exploration, configuration.task
    if explored is None:
        return
    classes = configuration.labels.classes if task is Task.MULTICLASS else ()
    if task is Task.REGRESSION:
        yield Fault("exploration", "is for binary and multiclass tasks: a regression takes no decisions")
    elif problem := unfit_label(explored.decision, task):
        yield Fault("exploration.decision", problem)
    elif classes and canonical_text(explored.decision) not in classes:
        yield Fault("exploration.decision", f"is none of the classes {', '.join(sorted(classes))}")


def _window_faults(configuration: ModelConfiguration) -> Iterator[Fault]:
    default = configuration.labels.default
    windows = [rule.window for rule in configuration.labels.rules if rule.window]
    if default is not None and windows and default.after < min(windows):
        yield Fault("labels.default.after", "must not be earlier than the close of the shortest window")
    if configuration.retention < configuration.training.window:
        yield Fault("retention", "must not be shorter than training.window")


def _baseline_faults(configuration: ModelConfiguration) -> Iterator[Fault]:
    baseline, own = configuration.monitoring.baseline, f"uploads/model={configuration.model}/"
    if isinstance(baseline, StoredRows) and not baseline.key.startswith(own):
        yield Fault("monitoring.baseline.key", f"must lie under {own}")
