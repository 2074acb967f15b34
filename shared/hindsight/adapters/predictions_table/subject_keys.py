"""The partitions of shared entities and references in the predictions table, without an erased subject's items."""

import json
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import (
    at_once,
    batch_get,
    batch_write,
    from_item,
    query_pages,
    to_item,
    unavailable_if_busy,
)
from hindsight.adapters.predictions_table.match_items import (
    ENTRY,
    EVENT,
    MOMENT,
    RETRACTION,
    candidate_from_item,
    event_key,
    key_partition,
    place_of,
)
from hindsight.adapters.predictions_table.prediction_items import HEAD, partition_key
from hindsight.core.batches import chunks
from hindsight.core.times import format_time
from hindsight.entities.feedback import MatchKey
from hindsight.entities.prediction import PredictionKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PAGE = 300
# Names in one expression, which has 4 KB.
_MOST_NAMES = 100


class DynamoSubjectKeys:
    """Partitions of shared keys; see ``hindsight.privacy.stores.SubjectKeys``. All reads are consistent."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def shared(self, keys: Sequence[MatchKey], entity_id: str) -> set[MatchKey]:
        """Find the keys that a stored prediction of another entity, or of none, carries."""
        found = at_once(lambda key: self._is_shared(key, entity_id), keys)
        return {key for key, is_shared in zip(keys, found, strict=True) if is_shared}

    def _is_shared(self, key: MatchKey, entity_id: str) -> bool:
        for page in self._pages(key, ENTRY):
            candidates = map(candidate_from_item, page)
            heads = [(partition_key(PredictionKey(key.model, one.prediction_id)), HEAD) for one in candidates]
            for head in self._read(heads):
                if not head.get("is_placeholder") and head.get("entity_id") != entity_id:
                    return True
        return False

    def erase(self, key: MatchKey, received_by: datetime) -> Iterator[int]:
        """Remove what a key has that was received by a moment, page by page; the times of events before them."""
        last = format_time(received_by)
        for page in self._pages(key):
            places = [place_of(item).feedback_id for item in page if item["sk"].startswith(MOMENT)]
            # Written before its time: an event that is not there has been removed.
            later = {event["sk"] for event in self._events(key, places) if not _is_over(event, last)}
            gone = []
            for item in page:
                if item["sk"].startswith(MOMENT):
                    gone += [] if f"{EVENT}{place_of(item).feedback_id}" in later else [item]
                elif _is_over(item, last):
                    gone.append(item)
                else:
                    self._forget_retractions(item, last)
            self._delete(gone)
            if gone:
                yield len(gone)

    def withdraw(self, key: MatchKey, prediction_ids: AbstractSet[str]) -> int:
        """Remove the entries of some predictions under a key; return how many there were."""
        removed = 0
        for page in self._pages(key, ENTRY):
            gone = [item for item in page if candidate_from_item(item).prediction_id in prediction_ids]
            self._delete(gone)
            removed += len(gone)
        return removed

    def _forget_retractions(self, event: dict[str, Any], last: str) -> None:
        """Remove from an event that stays the retractions that were received by a moment."""
        for names in chunks((name for name in _retractions(event) if _received(event[name]) <= last), _MOST_NAMES):
            named = {f"#r{number}": name for number, name in enumerate(names)}
            # On condition: an update would make the item that has just expired.
            with unavailable_if_busy(), suppress(self._client.exceptions.ConditionalCheckFailedException):
                self._client.update_item(
                    TableName=self._table,
                    Key=to_item({"pk": event["pk"], "sk": event["sk"]}),
                    UpdateExpression=f"REMOVE {', '.join(named)}",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeNames=named,
                )

    def _events(self, key: MatchKey, feedback_ids: Iterable[str]) -> list[dict[str, Any]]:
        keys = (event_key(key, feedback_id) for feedback_id in feedback_ids)
        return self._read([(one["pk"], one["sk"]) for one in keys])

    def _read(self, keys: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        return list(batch_get(self._client, self._table, keys, consistent=True))

    def _delete(self, items: Iterable[dict[str, Any]]) -> None:
        keys = [to_item({"pk": item["pk"], "sk": item["sk"]}) for item in items]
        batch_write(self._client, self._table, [{"DeleteRequest": {"Key": key}} for key in keys])

    def _pages(self, key: MatchKey, prefix: str = "") -> Iterator[list[dict[str, Any]]]:
        condition = " AND begins_with(sk, :prefix)" if prefix else ""
        pages = query_pages(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :pk" + condition,
            ExpressionAttributeValues=to_item({":pk": key_partition(key), ":prefix": prefix or None}),
            ConsistentRead=True,
            PaginationConfig={"PageSize": _PAGE},
        )
        for page in pages:
            yield [from_item(item) for item in page["Items"]]


def _is_over(item: dict[str, Any], last: str) -> bool:
    """Check whether an entry or an event, or all that withdraws one which has not come, was received by a moment."""
    if "received_at" in item:
        return bool(item["received_at"] <= last)
    return all(_received(item[name]) <= last for name in _retractions(item))


def _retractions(event: dict[str, Any]) -> list[str]:
    return [name for name in event if name.startswith(RETRACTION)]


def _received(retraction: str) -> str:
    return str(json.loads(retraction)["received_at"])
