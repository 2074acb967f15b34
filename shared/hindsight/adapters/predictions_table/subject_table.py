"""The item collections of one entity in the predictions table."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.attributes import unpack
from hindsight.adapters.dynamodb.requests import batch_write, from_item, put, query_all, scan_pages, to_item
from hindsight.adapters.predictions_table.prediction_items import ERASED_REVISION, HEAD, partition_key
from hindsight.core.times import format_time
from hindsight.entities.prediction import PredictionKey
from hindsight.privacy.stores import FoundPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoSubjectCollections:
    """Item collections of the predictions table; see ``hindsight.privacy.stores.SubjectCollections``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def find(self, model: str, entity_id: str, received_by: datetime, after: str = "") -> Iterator[FoundPage]:
        """Find, page by page, an entity's predictions that were received by a moment."""
        pages = scan_pages(
            self._client,
            after,
            TableName=self._table,
            ConsistentRead=True,
            FilterExpression="sk = :head AND entity_id = :entity AND #model = :model AND received_at <= :by",
            ProjectionExpression="prediction_id, features, #reference",
            ExpressionAttributeNames={"#model": "model", "#reference": "reference"},
            ExpressionAttributeValues=to_item(
                {":head": HEAD, ":entity": entity_id, ":model": model, ":by": format_time(received_by)}
            ),
        )
        for items, following in pages:
            rows = [from_item(item) for item in items]
            yield FoundPage([{**row, "features": unpack(row["features"])} for row in rows], following)

    def erase(self, model: str, prediction_id: str, expires_at: int) -> int:
        """Remove a prediction with all that belongs to it, and leave a mark in its place. Raises Unavailable."""
        key = PredictionKey(model, prediction_id)
        partition = partition_key(key)
        found = list(
            query_all(
                self._client,
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=to_item({":pk": partition}),
                ProjectionExpression="pk, sk, erased",
                ConsistentRead=True,
            )
        )
        if not any(item.get("erased") for item in found):
            # The mark comes first: every join is conditional on the head that it replaces.
            put(self._client, TableName=self._table, Item=to_item(_mark(key, expires_at)))
        others = [item["sk"] for item in found if item["sk"] != HEAD]
        deletions = [{"DeleteRequest": {"Key": to_item({"pk": partition, "sk": name})}} for name in others]
        batch_write(self._client, self._table, deletions)
        return sum(not item.get("erased") for item in found)


def _mark(key: PredictionKey, expires_at: int) -> dict[str, Any]:
    """Build the mark that keeps an erased prediction from coming back: a placeholder that takes no feedback."""
    return {
        "pk": partition_key(key),
        "sk": HEAD,
        "model": key.model,
        "prediction_id": key.prediction_id,
        "is_placeholder": True,
        "erased": True,
        "revision": ERASED_REVISION,
        "feedback_count": 0,
        "expires_at": expires_at,
    }
