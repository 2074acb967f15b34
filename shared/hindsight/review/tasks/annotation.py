"""Annotations of reviewers: the rule that reads an answer, its label, its feedback event."""

import hashlib
from datetime import datetime

from hindsight.config.labels import RETRACTED, LabelKind, Labels, LabelValue, Rule
from hindsight.config.metrics import Task
from hindsight.config.types import is_identifier
from hindsight.core.errors import Fault, InvalidInput
from hindsight.core.times import format_time
from hindsight.entities.feedback import REVIEW_IDS, Feedback, FeedbackValue
from hindsight.entities.prediction import body_digest
from hindsight.labels.aggregate import rule_label
from hindsight.labels.mapping import unreadable_value
from hindsight.labels.resolve import TimedPrediction, shifted
from hindsight.review.tasks.task import ReviewTask

SOURCE = "review"


def manual_rule(labels: Labels) -> Rule | None:
    """Find the rule that reads reviewers' answers: the highest whose kind is manual."""
    return next((rule for rule in labels.rules if rule.kind is LabelKind.MANUAL), None)


def answer_label(rule: Rule, value: FeedbackValue, labels: Labels, task: Task) -> LabelValue:
    """Compute the label an answer makes. Raises InvalidInput, its path within the answer, for one the rule cannot read.

    >>> labels = Labels.model_validate({"rules": [{"event": "a", "kind": "manual"}]}, strict=False)
    >>> answer_label(labels.rules[0], True, labels, Task.BINARY)
    1
    """
    alone = labels.model_copy(update={"rules": (rule,)})
    fault = unreadable_value(rule.event, value, alone, task)
    label = rule_label(rule, [value], task)
    if fault is not None or label is None:
        # A rule may read a number and still make nothing of it: the mean of one 7 is no binary label.
        raise InvalidInput("the answer cannot become a label", (fault or Fault("value", "makes no label of the task"),))
    return label


def choices(rule: Rule, task: Task) -> list[FeedbackValue] | None:
    """List the values an answer may have, None where they are not known.

    >>> choices(Rule(event="a", map={"up": 1, "down": 0}), Task.BINARY), choices(Rule(event="a"), Task.BINARY)
    (['down', 'up'], [0, 1])
    """
    if rule.map is not None:
        return [*sorted(rule.map)]
    return [0, 1] if task is Task.BINARY and rule.positive is None and rule.value is None else None


def occurrence(rule: Rule, prediction: TimedPrediction, answered_at: datetime) -> datetime:
    """Compute when an answer counts as having occurred: when it was given, held within the rule's window.

    It describes the prediction's case, not the day of the answer. Given after the window closed it
    is late, and amends the label as all late feedback does.
    """
    latest = answered_at
    if rule.window is not None:
        latest = min(answered_at, shifted(prediction.occurred_at, rule.window))
    return max(latest, prediction.occurred_at)


def annotation(task: ReviewTask) -> Feedback:
    """Build the feedback event of a resolved task: the same one whenever, and however often, it is asked for."""
    resolution = task.resolution
    if resolution is None:
        raise ValueError("only a resolved task has an annotation")
    return _event(
        task,
        feedback_id=annotation_id(task.task_id, len(task.reopenings)),
        name=resolution.event,
        value=resolution.value,
        occurred_at=resolution.occurred_at,
        received_at=resolution.at,
    )


def retractions(task: ReviewTask) -> list[Feedback]:
    """Build the events that retract the annotations of a task's earlier resolutions, of those that are not sent."""
    return [
        _event(
            task,
            feedback_id=retraction_id(task.task_id, number),
            name=RETRACTED,
            value=annotation_id(task.task_id, number),
            occurred_at=reopening.audit.at,
            received_at=reopening.audit.at,
        )
        for number, reopening in enumerate(task.reopenings)
        if not reopening.is_sent
    ]


def annotation_id(prediction_id: str, reopenings: int = 0) -> str:
    """Build the ``feedback_id`` of a prediction's annotation, after some reopenings of its task another one each.

    >>> annotation_id("p-1"), annotation_id("p-1", 1)
    ('review:p-1', 'review:p-1:2')
    """
    return _review_id(prediction_id if not reopenings else f"{prediction_id}:{reopenings + 1}")


def retraction_id(prediction_id: str, reopenings: int = 0) -> str:
    """Build the ``feedback_id`` of the retraction of an annotation.

    >>> retraction_id("p-1"), retraction_id("p-1", 1)
    ('review:p-1:1:retracted', 'review:p-1:2:retracted')
    """
    return _review_id(f"{prediction_id}:{reopenings + 1}:retracted")


def _review_id(name: str) -> str:
    """Build an id of the reserved ones; a name too long to carry is replaced by its digest."""
    whole = f"{REVIEW_IDS}{name}"
    return whole if is_identifier(whole) else f"{REVIEW_IDS}{hashlib.sha256(name.encode()).hexdigest()}"


def _event(
    task: ReviewTask,
    *,
    feedback_id: str,
    name: str,
    value: FeedbackValue,
    occurred_at: datetime,
    received_at: datetime,
) -> Feedback:
    body = {
        "feedback_id": feedback_id,
        "prediction_id": task.key.prediction_id,
        "name": name,
        "value": value,
        "occurred_at": format_time(occurred_at),
        "source": SOURCE,
    }
    return Feedback(
        model=task.key.model,
        prediction_id=task.key.prediction_id,
        feedback_id=feedback_id,
        name=name,
        value=value,
        occurred_at=occurred_at,
        received_at=received_at,
        source=SOURCE,
        body_digest=body_digest(body),
    )
