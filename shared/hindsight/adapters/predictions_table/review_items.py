"""Review tasks as items of the predictions table, and back."""

import json
from collections.abc import Mapping
from typing import Any

from hindsight.adapters.predictions_table.prediction_items import partition_key
from hindsight.config.labels import LabelValue
from hindsight.core import compact_json
from hindsight.core.times import format_time, parse_time
from hindsight.entities.prediction import PredictionKey
from hindsight.review.selection.sample import SampleReason
from hindsight.review.tasks.task import Answer, QueuePartition, Resolution, ReviewTask, TaskState, queue_partition_of

REVIEW = "review"


def task_key(key: PredictionKey) -> dict[str, str]:
    """Return the table's key of a prediction's review task."""
    return {"pk": partition_key(key), "sk": REVIEW}


def task_to_item(task: ReviewTask) -> dict[str, Any]:
    """Build the item of a task; ``review_partition`` and ``review_at`` put it in the ``review`` index, or not."""
    partition = queue_partition_of(task)
    return {
        **task_key(task.key),
        "model": task.key.model,
        "prediction_id": task.key.prediction_id,
        "reason": task.reason.value,
        "selection_probability": compact_json.dumps(task.selection_probability),
        "created_at": format_time(task.created_at),
        "closes_at": format_time(task.closes_at),
        "overlap": task.overlap,
        "leases": {reviewer: format_time(until) for reviewer, until in task.leases.items()},
        "answers": [_answer_to_map(answer) for answer in task.answers],
        "skips": list(task.skips),
        "state": task.state.value,
        "resolution": _resolution_to_map(task.resolution),
        "is_sent": task.is_sent,
        "revision": task.revision,
        "expires_at": task.expires_at,
        "done_by": list(task.done_by),
        "ratings": compact_json.dumps(dict(task.ratings)) if task.ratings else None,
        "review_partition": queue_partition_key(task.key.model, partition[0]) if partition else None,
        "review_at": format_time(partition[1]) if partition else None,
    }


def task_from_item(item: Mapping[str, Any]) -> ReviewTask:
    """Return the task an item holds."""
    return ReviewTask(
        key=PredictionKey(item["model"], item["prediction_id"]),
        reason=SampleReason(item["reason"]),
        selection_probability=float(json.loads(item["selection_probability"])),
        created_at=parse_time(item["created_at"]),
        closes_at=parse_time(item["closes_at"]),
        overlap=item["overlap"],
        leases={reviewer: parse_time(until) for reviewer, until in item["leases"].items()},
        answers=tuple(map(_answer_from_map, item["answers"])),
        skips=tuple(item["skips"]),
        state=TaskState(item["state"]),
        resolution=_resolution_from_map(item["resolution"]) if "resolution" in item else None,
        is_sent=item["is_sent"],
        revision=item["revision"],
        expires_at=item["expires_at"],
    )


def queue_partition_key(model: str, partition: QueuePartition) -> str:
    """Return the partition of the ``review`` index in which a model's tasks of one kind lie.

    >>> queue_partition_key("bike-demand", QueuePartition.FREE)
    'bike-demand#free'
    """
    return f"{model}#{partition}"


def ratings_from_item(item: Mapping[str, Any]) -> dict[str, LabelValue]:
    """Return the labels by reviewer that an entry of the index holds."""
    ratings: dict[str, LabelValue] = json.loads(item["ratings"])
    return ratings


def _answer_to_map(answer: Answer) -> dict[str, str]:
    return {
        "reviewer": answer.reviewer,
        "value": compact_json.dumps(answer.value),
        "label": compact_json.dumps(answer.label),
        "at": format_time(answer.at),
    }


def _answer_from_map(item: Mapping[str, str]) -> Answer:
    return Answer(
        reviewer=item["reviewer"],
        value=json.loads(item["value"]),
        label=json.loads(item["label"]),
        at=parse_time(item["at"]),
    )


def _resolution_to_map(resolution: Resolution | None) -> dict[str, str] | None:
    if resolution is None:
        return None
    return {
        "value": compact_json.dumps(resolution.value),
        "label": compact_json.dumps(resolution.label),
        "event": resolution.event,
        "occurred_at": format_time(resolution.occurred_at),
        "at": format_time(resolution.at),
    }


def _resolution_from_map(item: Mapping[str, str]) -> Resolution:
    return Resolution(
        value=json.loads(item["value"]),
        label=json.loads(item["label"]),
        event=item["event"],
        occurred_at=parse_time(item["occurred_at"]),
        at=parse_time(item["at"]),
    )
