"""Review tasks as items of the predictions table, and back."""

from collections.abc import Mapping
from typing import Any

from hindsight.adapters.dynamodb.attributes import from_attributes, pack, to_attributes, unpack
from hindsight.adapters.predictions_table.prediction_items import partition_key
from hindsight.config.labels import LabelValue
from hindsight.core.times import format_time
from hindsight.entities.prediction import PredictionKey
from hindsight.review.tasks.task import QueuePartition, ReviewTask, queue_partition_of

REVIEW = "review"
_TEXTS = ("selection_probability", "answers", "skips", "resolution", "request", "reopenings")


def task_key(key: PredictionKey) -> dict[str, str]:
    """Build the table's key of a prediction's review task."""
    return {"pk": partition_key(key), "sk": REVIEW}


def task_to_item(task: ReviewTask) -> dict[str, Any]:
    """Build the item of a task; ``review_partition`` and ``review_at`` put it in the ``review`` index, or not."""
    partition = queue_partition_of(task)
    return {
        **task_key(task.key),
        "model": task.key.model,
        "prediction_id": task.key.prediction_id,
        **{name: value for name, value in to_attributes(task, _TEXTS).items() if name != "key"},
        "done_by": list(task.done_by),
        "held_by": list(task.leases),
        "ratings": pack(dict(task.ratings)) if task.ratings else None,
        "review_partition": queue_partition_key(task.key.model, partition[0]) if partition else None,
        "review_at": format_time(partition[1]) if partition else None,
    }


def task_from_item(item: Mapping[str, Any]) -> ReviewTask:
    """Read the task of an item."""
    return from_attributes(ReviewTask, {**item, "key": PredictionKey(item["model"], item["prediction_id"])}, _TEXTS)


def queue_partition_key(model: str, partition: QueuePartition) -> str:
    """Build the partition key of the ``review`` index in which a model's tasks of one kind lie.

    >>> queue_partition_key("bike-demand", QueuePartition.FREE)
    'bike-demand#free'
    """
    return f"{model}#{partition}"


def ratings_from_item(item: Mapping[str, Any]) -> dict[str, LabelValue]:
    """Read the labels by reviewer that an entry of the index holds."""
    ratings: dict[str, LabelValue] = unpack(item["ratings"])
    return ratings
