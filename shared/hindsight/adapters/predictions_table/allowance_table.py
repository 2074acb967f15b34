"""Allowances of entities as items of the predictions table."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import from_item, pause_seconds, put, to_item
from hindsight.core.errors import Unavailable
from hindsight.labels.joining.entity_limit import Allowance

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SORT_KEY = "allowance"
_ATTEMPTS = 12


class DynamoAllowances:
    """One item an entity and span; see ``hindsight.labels.joining.entity_limit.EntityAllowances``."""

    def __init__(self, table: str, client: "DynamoDBClient", sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._client = client
        self._sleep = sleep

    def take(self, allowance: Allowance, events: Sequence[str]) -> set[str]:
        """Select which of some events are within an allowance. Raises Unavailable if others keep taking at once."""
        # No prediction's id has a #.
        key = {"pk": f"{allowance.model}#{_SORT_KEY}#{allowance.name}", "sk": _SORT_KEY}
        for attempt in range(_ATTEMPTS):
            answer = self._client.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
            held: dict[str, Any] = from_item(answer["Item"]) if "Item" in answer else {"revision": 0, "taken": []}
            taken = set(held["taken"])
            fresh = [event for event in dict.fromkeys(events) if event not in taken]
            fresh = fresh[: max(0, allowance.count - len(taken))]
            if not fresh or self._save(key, held, [*held["taken"], *fresh], allowance.expires_at):
                return taken.union(fresh).intersection(events)
            self._sleep(pause_seconds(attempt))
        raise Unavailable("too many workers count the feedback of one entity at once")

    def _save(self, key: dict[str, str], held: dict[str, Any], taken: list[str], expires_at: int) -> bool:
        item = {**key, "taken": taken, "revision": held["revision"] + 1, "expires_at": expires_at}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if held["revision"]:
            condition = {
                "ConditionExpression": "revision = :before",
                "ExpressionAttributeValues": to_item({":before": held["revision"]}),
            }
        return put(self._client, self._sleep, TableName=self._table, Item=to_item(item), **condition) is None
