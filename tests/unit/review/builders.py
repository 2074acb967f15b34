"""Tasks, answers and a whole review desk over fakes; times are minutes from one noon."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hindsight.config.labels import LabelValue
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.entities.feedback import FeedbackValue
from hindsight.entities.prediction import PredictionKey
from hindsight.review.selection.sample import SampledPrediction, SampleReason
from hindsight.review.tasks.answers import Answers
from hindsight.review.tasks.expiry import ReviewExpiry
from hindsight.review.tasks.leasing import LeasedTask, TaskLeasing
from hindsight.review.tasks.outbox import Outbox
from hindsight.review.tasks.task import Answer, ReviewTask, Skip, new_task
from hindsight.testing.aws.feedback_stream import InMemoryStream
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.review_tasks import InMemoryReviews
from hindsight.validation.items import Receipt
from hindsight.validation.timestamps import ClientTimestamps
from tests.unit.labels.builders import ANNOTATION, MODEL, NOON, RETENTION, key, prediction

LEASE = timedelta(minutes=15)


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def configuration(*rules: dict[str, Any], task: str = "binary", **review: Any) -> ModelConfiguration:
    return parse_configuration(
        {
            "model": MODEL,
            "task": task,
            "features": {"hour": {"type": "categorical"}, "temperature": {"type": "numeric"}},
            "labels": {"rules": list(rules) or [ANNOTATION]},
            "review": review,
        }
    )


def sample(
    prediction_id: str = "p-1", at: float = 0, reason: SampleReason = SampleReason.AUDIT, model: str = MODEL
) -> SampledPrediction:
    return SampledPrediction(
        key=key(prediction_id, model), reason=reason, selection_probability=0.25, sampled_at=minutes(at)
    )


def task(prediction_id: str = "p-1", at: float = 0, overlap: int = 1) -> ReviewTask:
    return new_task(sample(prediction_id, at), configuration(overlap=overlap))


def said(reviewer: str, label: LabelValue, at: float = 1, value: FeedbackValue = None) -> Answer:
    return Answer(reviewer=reviewer, value=label if value is None else value, label=label, at=minutes(at))


def skip(reviewer: str, at: float = 1, comment: str | None = None) -> Skip:
    return Skip(reviewer=reviewer, at=minutes(at), comment=comment)


@dataclass
class Desk:
    """A review queue over fakes, as reviewers meet it."""

    configuration: ModelConfiguration = field(default_factory=configuration)
    trust: ClientTimestamps = ClientTimestamps.BOUNDED
    page: int = 100

    def __post_init__(self) -> None:
        self.labels = InMemoryLabels()
        self.tasks = InMemoryReviews(self.labels, self.page)
        self.stream = InMemoryStream()
        outbox = Outbox(self.tasks, self.stream)
        self.leasing = TaskLeasing(self.tasks, self.labels, self.trust)
        self.answers = Answers(self.tasks, self.labels, outbox)
        self.expiry = ReviewExpiry(self.tasks, outbox)

    def add(self, *names: str, at: float = 0) -> None:
        """Keep predictions and make a task of each, a second apart."""
        for number, name in enumerate(names):
            self.labels.save(prediction(name, hours=at / 60), RETENTION)
            self.tasks.add([sample(name, at + number / 60)], self.configuration)

    def lease(self, reviewer: str, limit: int = 10, at: float = 1) -> list[LeasedTask]:
        return self.leasing.lease(self.configuration, reviewer, limit, minutes(at))

    def names(self, reviewer: str, limit: int = 10, at: float = 1) -> list[str]:
        return [held.task.task_id for held in self.lease(reviewer, limit, at)]

    def take(self, *items: dict[str, Any], at: float = 2) -> Receipt:
        return self.answers.take(self.configuration, items, minutes(at))

    def answer(self, reviewer: str, value: Any, task_id: str = "p-1", at: float = 2) -> Receipt:
        return self.take({"task_id": task_id, "reviewer": reviewer, "value": value}, at=at)

    def skip(self, reviewer: str, task_id: str = "p-1", at: float = 2) -> Receipt:
        return self.take({"task_id": task_id, "reviewer": reviewer, "skip": True}, at=at)

    def task(self, task_id: str = "p-1") -> ReviewTask:
        return self.tasks.tasks[PredictionKey(MODEL, task_id)]

    def annotations(self) -> list[tuple[str, FeedbackValue]]:
        """List the annotations sent as feedback: prediction and value."""
        return [(event.prediction_id, event.value) for event in self.stream.events]


def codes(receipt: Receipt) -> Sequence[tuple[int, str]]:
    return [(rejection.index, rejection.code) for rejection in receipt.in_order()]
