"""Handing out review tasks: each lease is claimed by a conditional write and lapses by itself."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

from pydantic import Field

from hindsight.config.model import ModelConfiguration
from hindsight.core.compact_json import answer_bytes
from hindsight.core.times import format_time
from hindsight.entities.feedback import FeedbackValue
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.labels.store import LabelStore
from hindsight.review.tasks.annotation import choices, manual_rule
from hindsight.review.tasks.store import TaskStore
from hindsight.review.tasks.task import UNNAMED_REVIEWER, ReviewTask
from hindsight.review.tasks.transitions import leased
from hindsight.validation.items import Identifier, RequestItem
from hindsight.validation.timestamps import ClientTimestamps

MAX_LEASES = 100
DEFAULT_LEASES = 10
MAX_LEASED_BYTES = 4_000_000  # the last task may exceed it, by two million
# A reviewer without tasks left must not read a whole queue to learn it.
MAX_PAGES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedTask:
    """A task in a reviewer's hands, with the prediction it is about; ``is_blind``: without score and decision."""

    task: ReviewTask
    prediction: Prediction
    until: datetime
    values: list[FeedbackValue] | None
    is_blind: bool

    def to_json(self) -> dict[str, Any]:
        """Show the task to its reviewer, without the names of others who disagree."""
        prediction = self.prediction
        shown: dict[str, Any] = {
            "task_id": self.task.task_id,
            "prediction_id": prediction.prediction_id,
            "features": dict(prediction.features),
            "model_version": prediction.model_version,
            "occurred_at": format_time(prediction.occurred_at),
            "reason": self.task.shown_reason,
            "lease_expires_at": format_time(self.until),
        }
        if not self.is_blind:
            shown |= {"score": prediction.score, "decision": prediction.decision}
            if prediction.probabilities is not None:
                shown["probabilities"] = dict(prediction.probabilities)
        if self.values is not None:
            shown["values"] = self.values
        if self.task.is_disputed:
            shown["answers"] = [answer.value for answer in self.task.answers]
        return shown


class LeaseRequest(RequestItem):
    """A reviewer's request for tasks."""

    limit: Annotated[int, Field(ge=1, le=MAX_LEASES)] = DEFAULT_LEASES
    reviewer: Identifier = UNNAMED_REVIEWER


def show_leased(
    configuration: ModelConfiguration, task: ReviewTask, prediction: Prediction, reviewer: str
) -> LeasedTask:
    """Build a reviewer's view of a leased task."""
    rule = manual_rule(configuration.labels)
    return LeasedTask(
        task=task,
        prediction=prediction,
        until=task.leases[reviewer],
        values=choices(rule, configuration.task) if rule else None,
        is_blind=configuration.review.blind,
    )


@dataclass(frozen=True, slots=True)
class TaskLeasing:
    """The leases of a model's tasks to its reviewers.

    Where client timestamps are trusted, tasks are dated by the clients' clock, which a request's does not know: there
    only ``expire_reviews``, whose tick carries that clock's time, lets them expire.
    """

    tasks: TaskStore
    labels: LabelStore
    trust: ClientTimestamps

    def lease(self, configuration: ModelConfiguration, reviewer: str, limit: int, now: datetime) -> list[LeasedTask]:
        """Lease up to ``limit`` tasks to the reviewer, beside those they had."""
        if manual_rule(configuration.labels) is None:
            return []
        hand = _Hand(configuration, reviewer, limit, now)
        open_at = now if self.trust is ClientTimestamps.BOUNDED else None
        pages = self.tasks.available(configuration.model, reviewer, now, open_at=open_at)
        for page in islice(pages, MAX_PAGES):
            self._fill(hand, page)
            if hand.is_full:
                break
        return hand.held

    def _fill(self, hand: "_Hand", page: list[PredictionKey]) -> None:
        """Claim from a page: the first ones; and where others are faster, from another point than they do."""
        waiting = page
        while waiting and not hand.is_full:
            batch, waiting = waiting[: hand.room], waiting[hand.room :]
            if self._claim(hand, batch):
                waiting = _from_another_point(waiting, hand.reviewer, hand.now)

    def _claim(self, hand: "_Hand", keys: Sequence[PredictionKey]) -> bool:
        """Claim some tasks; return whether another reviewer was faster at any."""
        found, predictions = self.tasks.load(keys), self.labels.predictions(keys)
        # A task whose prediction is gone has nothing to show: it is passed over until it goes as well.
        there = [(found[key], predictions[key]) for key in keys if key in found and key in predictions]
        claims = list(hand.claims(there))
        won = self.tasks.save([task for task, _ in claims])
        for task, prediction in claims:
            if task.key in won:
                hand.take(won[task.key], prediction)
        return len(won) < len(claims)


class _Hand:
    """The tasks leased to a reviewer in one request."""

    def __init__(self, configuration: ModelConfiguration, reviewer: str, limit: int, now: datetime) -> None:
        self.reviewer = reviewer
        self.now = now
        self.held: list[LeasedTask] = []
        self._limit = limit
        self._configuration = configuration
        self._bytes = 0

    @property
    def room(self) -> int:
        return self._limit - len(self.held)

    @property
    def is_full(self) -> bool:
        return self.room <= 0 or self._bytes >= MAX_LEASED_BYTES

    def claims(self, found: Sequence[tuple[ReviewTask, Prediction]]) -> Iterator[tuple[ReviewTask, Prediction]]:
        """Lease the tasks that are free, as far as one answer can carry them."""
        claimed = self._bytes
        for task, prediction in found:
            if claimed >= MAX_LEASED_BYTES:
                return
            mine = leased(task, self.reviewer, self.now, self._configuration.review.lease)
            if mine is not None:
                claimed += answer_bytes(self._shown(mine, prediction).to_json())
                yield mine, prediction

    def take(self, task: ReviewTask, prediction: Prediction) -> None:
        self.held.append(self._shown(task, prediction))
        self._bytes += answer_bytes(self.held[-1].to_json())

    def _shown(self, task: ReviewTask, prediction: Prediction) -> LeasedTask:
        return show_leased(self._configuration, task, prediction, self.reviewer)


def _from_another_point(keys: list[PredictionKey], reviewer: str, now: datetime) -> list[PredictionKey]:
    """Rotate keys by a hash of the reviewer: twenty who meet at one task must not meet at the next."""
    if not keys:
        return keys
    start = zlib.crc32(f"{reviewer} {format_time(now)}".encode()) % len(keys)
    return keys[start:] + keys[:start]
