"""How far the watch has come, in the models table; read by functions that start without the scientific layer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import from_item, put, to_item
from hindsight.core import compact_json
from hindsight.evaluation.sequential.progress import Watched

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_TOLD = "watch-told"


class DynamoWatchProgress:
    """A few items a model; see ``hindsight.evaluation.sequential.progress.WatchProgress``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def note_look(self, model: str, watched: Watched, look: Mapping[str, Any]) -> None:
        """Keep what the newest look came to, unless a later one is kept: a replay must not hide it."""
        item = {"pk": model, "sk": _look_key(watched), "at": look["at"], "look": compact_json.dumps(look)}
        put(
            self._client,
            TableName=self._table,
            Item=to_item(item),
            ConditionExpression="attribute_not_exists(pk) OR #at <= :at",
            ExpressionAttributeNames={"#at": "at"},
            ExpressionAttributeValues=to_item({":at": look["at"]}),
        )

    def looks(self, model: str) -> dict[str, dict[str, Any]]:
        """Return the newest look at a model's trial and at its probation, by what was watched."""
        found = {watched: self._get(model, _look_key(watched)) for watched in Watched}
        return {watched.value: compact_json.loads(item["look"]) for watched, item in found.items() if item is not None}

    def told(self, model: str) -> int:
        """Return the sequence of the last move whose consequences are drawn, 0 before the first."""
        item = self._get(model, _TOLD)
        return 0 if item is None else int(item["sequence"])

    def note_told(self, model: str, sequence: int) -> None:
        """Remember that the consequences of all moves up to one are drawn; of two watches at once the later stands."""
        put(
            self._client,
            TableName=self._table,
            Item=to_item({"pk": model, "sk": _TOLD, "sequence": sequence}),
            ConditionExpression="attribute_not_exists(pk) OR #sequence < :sequence",
            ExpressionAttributeNames={"#sequence": "sequence"},
            ExpressionAttributeValues=to_item({":sequence": sequence}),
        )

    def _get(self, model: str, sort_key: str) -> dict[str, Any] | None:
        answer = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": model, "sk": sort_key}), ConsistentRead=True
        )
        return from_item(answer["Item"]) if "Item" in answer else None


def _look_key(watched: Watched) -> str:
    return f"{watched.value}-look"
