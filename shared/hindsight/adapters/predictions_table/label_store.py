"""Item collections in the predictions table: every join of one is one transaction."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from hindsight.adapters.dynamodb.requests import (
    MAX_TRANSACTION,
    at_once,
    batch_get,
    from_item,
    query_all,
    query_pages,
    to_item,
    transact,
    unavailable_if_busy,
)
from hindsight.adapters.predictions_table.label_items import (
    FEEDBACK,
    LABEL,
    feedback_from_item,
    feedback_to_item,
    head_from_item,
    join_state,
    label_from_item,
    label_to_item,
    placeholder_item,
)
from hindsight.adapters.predictions_table.prediction_items import (
    DUE_SHARDS,
    HEAD,
    head_key,
    key_of_partition,
    partition_key,
    prediction_from_item,
)
from hindsight.core import compact_json
from hindsight.core.batches import batches, chunks
from hindsight.core.times import format_time, parse_time
from hindsight.entities.label import Label
from hindsight.entities.label_collection import Collection, Head
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.labels.plan import JoinPlan
from hindsight.labels.store import ALL, OpenLabels, Share

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DUE_INDEX = "due"
SHARDS = range(DUE_SHARDS)
_PAGE = 300

Operation = Any


class DynamoLabels:
    """Predictions with their feedback and labels; see ``hindsight.labels.store.LabelStore``.

    A head's ``revision`` guards its whole collection, so that of two workers that have read the same state only one
    can commit. Several collections share a transaction: one round trip for a hundred items.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def load(self, keys: Sequence[PredictionKey]) -> list[Collection]:
        """Read the collections of some predictions, in order, empty ones too. Raises Unavailable."""
        heads = {item["pk"]: head_from_item(item) for item in self._heads(keys)}
        found = [Collection(key=key, head=heads.get(partition_key(key))) for key in keys]
        return list(at_once(self._with_history, found))

    def commit(self, plans: Sequence[JoinPlan]) -> set[PredictionKey]:
        """Write plans, each whole or not at all; return the keys whose collection has changed since it was loaded.

        Transactions of one call wait for the table at the same time: each has its own predictions.
        """
        planned = ((plan.key, self._operations(plan)) for plan in plans)
        together = list(batches(planned, lambda found: len(found[1]), room=MAX_TRANSACTION))
        return set[PredictionKey]().union(*at_once(self._commit_batch, together))

    def due(self, model: str, now: datetime, share: Share = ALL) -> Iterator[list[PredictionKey]]:
        """Find, page by page, the predictions of a model's share whose windows close by ``now``.

        The first pages of all shards are read at the same time and put together: mostly there is little in each.
        """
        pages = [self._due_pages(model, now, shard) for shard in range(share.number, DUE_SHARDS, share.of)]
        first = list(at_once(lambda pager: next(pager, []), pages))
        for found in chunks(sorted(entry for page in first for entry in page), _PAGE):
            yield [key for _, key in found]
        for rest in pages:
            for page in rest:
                yield [key for _, key in page]

    def _due_pages(self, model: str, now: datetime, shard: int) -> Iterator[list[tuple[str, PredictionKey]]]:
        pages = query_pages(
            self._client,
            TableName=self._table,
            IndexName=DUE_INDEX,
            KeyConditionExpression="due_shard = :shard AND due_at <= :now",
            ExpressionAttributeValues={":shard": {"S": f"{model}#{shard}"}, ":now": {"S": format_time(now)}},
            PaginationConfig={"PageSize": _PAGE},
        )
        for page in pages:
            if items := [from_item(item) for item in page["Items"]]:
                yield [(item["due_at"], key_of_partition(item["pk"])) for item in items]

    def open_labels(self, model: str, now: datetime, most: int) -> OpenLabels:
        """Count, up to some ``most``, the predictions that the clock changes after ``now``, and find the next moment.

        Each shard is counted up to its part of ``most``: a call costs the same however many there are.
        """
        found = list(at_once(lambda shard: self._open_labels(model, now, shard, -(-most // DUE_SHARDS)), SHARDS))
        moments = [part.next_due_at for part in found if part.next_due_at is not None]
        return OpenLabels(
            predictions=sum(part.predictions for part in found),
            next_due_at=min(moments, default=None),
            capped=any(part.capped for part in found),
        )

    def _open_labels(self, model: str, now: datetime, shard: int, most: int) -> OpenLabels:
        with unavailable_if_busy():
            page = self._client.query(
                TableName=self._table,
                IndexName=DUE_INDEX,
                KeyConditionExpression="due_shard = :shard AND due_at > :now",
                ExpressionAttributeValues={":shard": {"S": f"{model}#{shard}"}, ":now": {"S": format_time(now)}},
                Limit=most,
            )
        moments = [item["due_at"]["S"] for item in page["Items"]]
        first = parse_time(moments[0]) if moments else None
        return OpenLabels(predictions=len(moments), next_due_at=first, capped="LastEvaluatedKey" in page)

    def predictions(self, keys: Sequence[PredictionKey]) -> dict[PredictionKey, Prediction]:
        """Read the predictions that exist of some keys. Raises Unavailable."""
        found = (prediction_from_item(item) for item in self._heads(keys) if not item.get("is_placeholder"))
        return {prediction.key: prediction for prediction in found}

    def _heads(self, keys: Sequence[PredictionKey]) -> Iterator[dict[str, Any]]:
        # Consistent: on a stale revision the commit would only be refused.
        wanted = [(partition_key(key), HEAD) for key in keys]
        return batch_get(self._client, self._table, wanted, consistent=True)

    def _with_history(self, collection: Collection) -> Collection:
        head = collection.head
        if head is None or not (head.feedback_count or head.label_seq):
            return collection
        first_and_last = {":pk": partition_key(collection.key), ":first": FEEDBACK, ":last": f"{LABEL}~"}
        items = list(
            query_all(
                self._client,
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues=to_item(first_and_last),
                ConsistentRead=True,
            )
        )
        return replace(
            collection,
            feedback=tuple(feedback_from_item(item) for item in items if item["sk"].startswith(FEEDBACK)),
            labels=tuple(label_from_item(item) for item in items if item["sk"].startswith(LABEL)),
        )

    def _operations(self, plan: JoinPlan) -> list[Operation]:
        if plan.after is None:
            return []
        head, label = plan.after, plan.records[-1].label if plan.records else None
        items = [feedback_to_item(plan.key, joined, head.expires_at) for joined in plan.feedback]
        records = [label_to_item(head, record) for record in plan.records]
        return [
            self._head_operation(plan.before, head, label),
            *({"Put": {"TableName": self._table, "Item": to_item(item)}} for item in items),
            *({"Put": self._put_if_absent(item)} for item in records),
        ]

    def _head_operation(self, before: Head | None, after: Head, label: Label | None) -> Operation:
        if before is None:
            return {"Put": self._put_if_absent(placeholder_item(after))}
        known = join_state(before)
        changed = {name: value for name, value in join_state(after).items() if value != known[name]}
        state = {"revision": after.revision, **changed, **_shown(label)}
        kept = {f":{name}": value for name, value in state.items() if value is not None}
        removed = [f"#{name}" for name, value in state.items() if value is None]
        expression = "SET " + ", ".join(f"#{name[1:]} = {name}" for name in kept)
        if removed:
            expression += " REMOVE " + ", ".join(removed)
        # A prediction takes over its placeholder's revision: the revision alone would not distinguish them.
        kind = "attribute_not_exists(is_placeholder)" if before.prediction else "attribute_exists(is_placeholder)"
        return {
            "Update": {
                "TableName": self._table,
                "Key": to_item(head_key(after.key)),
                "UpdateExpression": expression,
                "ConditionExpression": f"#revision = :before AND {kind}",
                "ExpressionAttributeNames": {f"#{name}": name for name in state},
                "ExpressionAttributeValues": to_item({**kept, ":before": before.revision}),
            }
        }

    def _put_if_absent(self, item: dict[str, Any]) -> Any:
        return {
            "TableName": self._table,
            "Item": to_item(item),
            "ConditionExpression": "attribute_not_exists(pk)",
        }

    def _commit_batch(self, batch: list[tuple[PredictionKey, list[Operation]]]) -> set[PredictionKey]:
        """Write a batch; one refused plan refuses them all, so the others are written again without it."""
        lost: set[PredictionKey] = set()
        while batch:
            outcome = transact(self._client, [operation for _, operations in batch for operation in operations])
            if outcome is None:
                break
            owners = [key for key, operations in batch for _ in operations]
            losers = {key for key, found in zip(owners, outcome, strict=True) if found is not None}
            lost |= losers
            batch = [(key, operations) for key, operations in batch if key not in losers]
        return lost


def _shown(label: Label | None) -> dict[str, Any]:
    """Build the newest label as the head shows it, nothing if it has not changed."""
    if label is None:
        return {}
    value = None if label.value is None else compact_json.dumps(label.value)
    return {"label_status": label.status.value, "label_value": value}
