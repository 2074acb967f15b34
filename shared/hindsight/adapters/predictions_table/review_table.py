"""Review tasks in the predictions table, each in its prediction's item collection."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import (
    MAX_TRANSACTION,
    at_once,
    batch_get,
    from_item,
    put,
    query_pages,
    to_item,
    transact,
)
from hindsight.adapters.predictions_table.prediction_items import head_key, key_of_partition, partition_key
from hindsight.adapters.predictions_table.review_items import (
    REVIEW,
    queue_partition_key,
    ratings_from_item,
    task_from_item,
    task_to_item,
)
from hindsight.config.labels import LabelValue
from hindsight.config.model import ModelConfiguration
from hindsight.core import compact_json
from hindsight.core.batches import chunks
from hindsight.core.times import format_time
from hindsight.entities.prediction import PredictionKey
from hindsight.review.selection.sample import SampledPrediction
from hindsight.review.tasks.store import QueueSize
from hindsight.review.tasks.task import QueuePartition, ReviewTask, new_task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REVIEW_INDEX = "review"
_PAGE = 100
# Of 1 MB each: a reviewer who did little must not cost a read of the whole queue.
_MAX_COUNTED_PAGES = 3
_OPEN = (QueuePartition.ADJUDICATION, QueuePartition.LEASED, QueuePartition.FREE)
_RESOLVED = (QueuePartition.UNSENT, QueuePartition.OVERLAPPING, QueuePartition.RESOLVED)
_IN_THE_PARTITION = "review_partition = :partition"

Operation = Any


class DynamoReviews:
    """Tasks in the predictions table; see ``hindsight.review.tasks.store.TaskStore``.

    The index ``review`` only says where to look: it may lag. The item itself decides, and its ``revision`` lets only
    one of those win who have read the same state.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def add(self, sampled: Sequence[SampledPrediction], configuration: ModelConfiguration) -> int:
        """Make a task of each sample of one model; return how many are new. Raises Unavailable."""
        return sum(self._add(chunk, configuration) for chunk in chunks(sampled, MAX_TRANSACTION // 2))

    def load(self, keys: Sequence[PredictionKey]) -> dict[PredictionKey, ReviewTask]:
        """Read the tasks that exist of some predictions. Raises Unavailable."""
        # Consistent: on a stale revision the write would only be refused.
        items = batch_get(self._client, self._table, [(partition_key(key), REVIEW) for key in keys], consistent=True)
        tasks = {task.key: task for task in map(task_from_item, items)}
        return {key: tasks[key] for key in keys if key in tasks}

    def save(self, tasks: Sequence[ReviewTask]) -> dict[PredictionKey, ReviewTask]:
        """Write each task that is unchanged since it was read; return those, with their new revision."""
        return {task.key: task for task in at_once(self._save, tasks) if task is not None}

    def available(
        self, model: str, reviewer: str, now: datetime, *, open_at: datetime | None
    ) -> Iterator[list[PredictionKey]]:
        """Find, page by page, the open tasks that a reviewer may be given."""
        unseen = {"FilterExpression": "NOT contains(done_by, :reviewer)"}
        if open_at is not None:
            unseen["FilterExpression"] += " AND closes_at > :open_at"
        values = {":reviewer": reviewer, ":open_at": _time(open_at)}
        for partition in _OPEN:
            lapsed = {":now": format_time(now)} if partition is QueuePartition.LEASED else {}
            condition = f"{_IN_THE_PARTITION} AND review_at <= :now" if lapsed else _IN_THE_PARTITION
            yield from self._keys(model, partition, values | lapsed, KeyConditionExpression=condition, **unseen)

    def held(self, model: str, reviewer: str) -> Iterator[list[PredictionKey]]:
        """Find, page by page, the open tasks that were last leased to a reviewer; a lease may have lapsed."""
        mine = {"FilterExpression": "contains(held_by, :reviewer)"}
        # Leased ones first: only a task with an overlap lies elsewhere while a reviewer holds it.
        for partition in (QueuePartition.LEASED, QueuePartition.ADJUDICATION, QueuePartition.FREE):
            yield from self._keys(model, partition, {":reviewer": reviewer}, **mine)

    def done(self, model: str, reviewer: str, since: datetime, most: int) -> int:
        """Count, up to ``most``, the tasks a reviewer answered or skipped: the open ones, those resolved ``since``."""
        recent = {"KeyConditionExpression": f"{_IN_THE_PARTITION} AND review_at >= :since"}
        wanted = {"Select": "COUNT", "FilterExpression": "contains(done_by, :reviewer)"}
        count = 0
        for partition in (*_RESOLVED, *_OPEN):
            moment = {":since": format_time(since)} if partition in _RESOLVED else {}
            pages = self._pages(
                model, partition, {":reviewer": reviewer, **moment}, **wanted, **(recent if moment else {})
            )
            count += sum(page["Count"] for page in islice(pages, _MAX_COUNTED_PAGES))
        return min(count, most)

    def overdue(self, model: str, now: datetime) -> Iterator[list[PredictionKey]]:
        """Find, page by page, the open tasks that close by ``now``."""
        for partition in _OPEN:
            yield from self._keys(model, partition, {":now": format_time(now)}, FilterExpression="closes_at <= :now")

    def unsent(self, model: str) -> Iterator[list[PredictionKey]]:
        """Find, page by page, the resolved tasks whose feedback is not known to be durable."""
        yield from self._keys(model, QueuePartition.UNSENT, {})

    def size(self, model: str, *, open_at: datetime | None, most: int) -> QueueSize:
        """Count a model's open tasks, up to ``most`` of each kind."""
        counts = {partition: self._count(model, partition, open_at, most) for partition in _OPEN}
        return QueueSize(
            free=counts[QueuePartition.FREE],
            adjudication=counts[QueuePartition.ADJUDICATION],
            leased=counts[QueuePartition.LEASED],
            capped=most in counts.values(),
        )

    def ratings(self, model: str, most: int) -> list[Mapping[str, LabelValue]]:
        """List the labels by reviewer of the tasks that several people answered, newest first."""
        found: list[Mapping[str, LabelValue]] = []
        for page in self._pages(model, QueuePartition.OVERLAPPING, {}, ScanIndexForward=False):
            found += (ratings_from_item(from_item(item)) for item in page["Items"])
            if len(found) >= most:
                break
        return found[:most]

    def _add(self, sampled: Sequence[SampledPrediction], configuration: ModelConfiguration) -> int:
        """Write a chunk of sampled; a refused one refuses all of its transaction, so the others are written again."""
        waiting = list(sampled)
        while waiting:
            refused = transact(
                self._client, [each for sample in waiting for each in self._operations(sample, configuration)]
            )
            if refused is None:
                return len(waiting)
            pairs = zip(refused[::2], refused[1::2], strict=True)
            waiting = [sample for sample, pair in zip(waiting, pairs, strict=True) if pair == (None, None)]
        return 0

    def _operations(self, sample: SampledPrediction, configuration: ModelConfiguration) -> list[Operation]:
        put = self._put(new_task(sample, configuration), "attribute_not_exists(pk)")
        # On the head too: every label record that is archived finds it there.
        probability = {":probability": compact_json.dumps(sample.selection_probability)}
        update = {
            "TableName": self._table,
            "Key": to_item(head_key(sample.key)),
            "UpdateExpression": "SET selection_probability = :probability",
            "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(is_placeholder)",
            "ExpressionAttributeValues": to_item(probability),
        }
        return [{"Put": put}, {"Update": update}]

    def _put(self, task: ReviewTask, condition: str) -> Any:
        return {"TableName": self._table, "Item": to_item(task_to_item(task)), "ConditionExpression": condition}

    def _save(self, task: ReviewTask) -> ReviewTask | None:
        written = task.counted_on()
        read = to_item({":read": task.revision})
        refused = put(self._client, **self._put(written, "revision = :read"), ExpressionAttributeValues=read)
        return written if refused is None else None

    def _count(self, model: str, partition: QueuePartition, open_at: datetime | None, most: int) -> int:
        still_open = {"FilterExpression": "closes_at > :open_at"} if open_at is not None else {}
        count = 0
        for page in self._pages(model, partition, {":open_at": _time(open_at)}, Select="COUNT", **still_open):
            count += page["Count"]
            if count >= most:
                return most
        return count

    def _keys(
        self, model: str, partition: QueuePartition, values: dict[str, Any], **request: Any
    ) -> Iterator[list[PredictionKey]]:
        wanted = {"PaginationConfig": {"PageSize": _PAGE}, "ProjectionExpression": "pk"}
        for page in self._pages(model, partition, values, **wanted, **request):
            yield [key_of_partition(from_item(item)["pk"]) for item in page["Items"]]

    def _pages(self, model: str, partition: QueuePartition, values: dict[str, Any], **request: Any) -> Iterator[Any]:
        return query_pages(
            self._client,
            TableName=self._table,
            IndexName=REVIEW_INDEX,
            ExpressionAttributeValues=to_item({":partition": queue_partition_key(model, partition), **values}),
            **{"KeyConditionExpression": _IN_THE_PARTITION, **request},
        )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
