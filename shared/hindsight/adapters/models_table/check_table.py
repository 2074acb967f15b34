"""The newest checks in the models table."""

from typing import TYPE_CHECKING

from hindsight.adapters.dynamodb.requests import from_item, to_item
from hindsight.core.times import format_time
from hindsight.monitoring.results.check import Check, CheckKind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoChecks:
    """One item a model and kind; see ``hindsight.monitoring.results.check.CheckStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._table = table
        self._client = client

    def put(self, check: Check) -> None:
        """Store a check, unless a newer one of its kind is stored."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item({**check.to_plain(), "pk": check.model, "sk": _key(check.kind)}),
                ConditionExpression="attribute_not_exists(pk) OR #at <= :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues=to_item({":at": format_time(check.at)}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def latest(self, model: str, kind: CheckKind) -> Check | None:
        """Read the newest check, None before the first."""
        answer = self._client.get_item(
            TableName=self._table, Key=to_item({"pk": model, "sk": _key(kind)}), ConsistentRead=True
        )
        return Check.from_plain(from_item(answer["Item"])) if "Item" in answer else None


def _key(kind: CheckKind) -> str:
    return f"check#{kind}"
