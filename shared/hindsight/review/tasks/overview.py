"""The operators' view of reviews: the queue's length, the reviewers' agreement, and the state of one task."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.core.codec import to_plain
from hindsight.core.times import format_time
from hindsight.entities.prediction import PredictionKey
from hindsight.review.tasks.agreement import agreement
from hindsight.review.tasks.store import QueueSize, TaskStore
from hindsight.review.tasks.task import Answer, Resolution, ReviewAudit, ReviewTask
from hindsight.validation.timestamps import ClientTimestamps

MAX_COUNTED = 10_000
MAX_RATED = 1_000


@dataclass(frozen=True, slots=True)
class ReviewOverview:
    """The reader of tasks; ``trust`` is whether their dates are ours, see ``leasing.TaskLeasing``."""

    tasks: TaskStore
    trust: ClientTimestamps

    def queue(self, configuration: ModelConfiguration, now: datetime) -> dict[str, Any]:
        """Count a model's queue, and the agreement over the newest tasks that several people answered."""
        open_at = now if self.trust is ClientTimestamps.BOUNDED else None
        size = self.tasks.size(configuration.model, open_at=open_at, most=MAX_COUNTED)
        # Kappa is for classes: of numbers hardly two are the same.
        nominal = configuration.task is not Task.REGRESSION
        rated = self.tasks.ratings(configuration.model, MAX_RATED) if nominal else []
        return {
            **show_size(size),
            "agreement": to_plain(agreement(rated)) if rated else None,
        }

    def task(self, key: PredictionKey) -> dict[str, Any] | None:
        """Show the review of a prediction, None if it was never sampled."""
        task = self.tasks.load([key]).get(key)
        return None if task is None else shown_task(task)


def show_size(size: QueueSize) -> dict[str, Any]:
    """Show the counts of a queue."""
    return {"open": size.open, **to_plain(size)}


def shown_task(task: ReviewTask) -> dict[str, Any]:
    """Show a task to operators."""
    return {
        "reason": task.reason.value,
        "selection_probability": task.selection_probability,
        "state": task.state.value,
        "created_at": format_time(task.created_at),
        "closes_at": format_time(task.closes_at),
        "overlap": task.overlap,
        "adjudication": len(task.answers) > task.overlap or task.is_disputed,
        "answers": _shown_answers(task.answers),
        "skips": [
            {"reviewer": skip.reviewer, "at": format_time(skip.at), "comment": skip.comment} for skip in task.skips
        ],
        "resolved": {**_shown_outcome(task.resolution), "sent": task.is_sent} if task.resolution else None,
        "request": _shown_audit(task.request) if task.request else None,
        "reopenings": [
            {
                **_shown_audit(reopening.audit),
                "answers": _shown_answers(reopening.answers),
                "resolved": _shown_outcome(reopening.resolution),
                "retraction_sent": reopening.is_sent,
            }
            for reopening in task.reopenings
        ],
    }


def _shown_answers(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    return [
        {
            "reviewer": answer.reviewer,
            "value": answer.value,
            "label": answer.label,
            "at": format_time(answer.at),
            "comment": answer.comment,
        }
        for answer in answers
    ]


def _shown_outcome(resolution: Resolution) -> dict[str, Any]:
    return {
        "value": resolution.value,
        "label": resolution.label,
        "event": resolution.event,
        "at": format_time(resolution.at),
    }


def _shown_audit(audit: ReviewAudit) -> dict[str, Any]:
    return {"actor": audit.actor, "reason": audit.reason, "at": format_time(audit.at)}
