"""The items of the models table: read by key, put under conditions, listed newest first, changed optimistically."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.requests import (
    Item,
    back_off,
    from_item,
    put,
    query_all,
    to_item,
    transact,
    unavailable_if_busy,
)
from hindsight.core.errors import Unavailable
from hindsight.core.retry import Overtaken, optimistic

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

Values = Mapping[str, Any]
Version = int | str | None


class ModelItems:
    """One model's items under its name as the partition key; each adapter maps records to values of these.

    A refused condition returns False or the item found; a table at its limit raises Unavailable.
    """

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self.table = table
        self.client = client

    def get(self, model: str, sort_key: str) -> dict[str, Any] | None:
        """Read one item, consistently; None if there is none."""
        with unavailable_if_busy():
            answer = self.client.get_item(TableName=self.table, Key=_key(model, sort_key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def newest(self, model: str, prefix: str, limit: int, before: str | None = None) -> list[dict[str, Any]]:
        """List at most ``limit`` items whose sort keys begin with a prefix, the last key first, below ``before``."""
        # The key conditions have no "begins with and below": that range ends with ``before`` itself, which is left out.
        page = max(1, limit) + (before is not None)
        return list(islice(self.each(model, prefix, descending=True, before=before, page=page), limit))

    def each(
        self, model: str, prefix: str = "", *, descending: bool = False, before: str | None = None, page: int = 100
    ) -> Iterator[dict[str, Any]]:
        """Read the items whose sort keys begin with a prefix, consistently, in the order of the keys.

        ``before`` begins with the prefix; what it names need not exist.
        """
        condition = " AND begins_with(sk, :prefix)" if prefix else ""
        if before is not None:
            condition = " AND sk BETWEEN :prefix AND :before"
        request: dict[str, Any] = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :model" + condition,
            "ExpressionAttributeValues": to_item({":model": model, ":prefix": prefix or None, ":before": before}),
            "ScanIndexForward": not descending,
            "ConsistentRead": True,
            "PaginationConfig": {"PageSize": page},
        }
        return (item for item in query_all(self.client, **request) if item["sk"] != before)

    def between(self, model: str, first: str, last: str) -> Iterator[dict[str, Any]]:
        """Read the items of a range of sort keys, both included, consistently, in the order of the keys."""
        if first > last:  # DynamoDB refuses a range that ends before it begins
            return iter(())
        return query_all(
            self.client,
            TableName=self.table,
            KeyConditionExpression="pk = :model AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=to_item({":model": model, ":first": first, ":last": last}),
            ConsistentRead=True,
        )

    def put(self, model: str, sort_key: str, values: Values) -> None:
        """Store an item, in place of any other."""
        put(self.client, **self.overwrite(model, sort_key, values))

    def put_once(self, model: str, sort_key: str, values: Values) -> dict[str, Any] | None:
        """Store an item where none is; None once it is durable, else the item found: of two the first stays."""
        request = self.once(model, sort_key, values)["Put"]
        return put(self.client, **{**request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})

    def put_if_version(self, model: str, sort_key: str, values: Values, *, attribute: str, expected: Version) -> bool:
        """Store an item where ``attribute`` is of the expected version (0, None: none is there); False if it is not."""
        request = self.versioned(model, sort_key, values, attribute=attribute, expected=expected)["Put"]
        return put(self.client, **request) is None

    def put_if_newer(self, model: str, sort_key: str, values: Values, *, attribute: str) -> bool:
        """Store an item unless one is stored whose ``attribute`` is greater: a replay must not hide what came later."""
        refused = put(
            self.client,
            TableName=self.table,
            Item=_item(model, sort_key, values),
            ConditionExpression="attribute_not_exists(pk) OR #order <= :order",
            ExpressionAttributeNames={"#order": attribute},
            ExpressionAttributeValues=to_item({":order": values[attribute]}),
        )
        return refused is None

    def write(self, operations: list["TransactWriteItemTypeDef"]) -> bool:
        """Write all operations or none; False if a condition of one refused them."""
        return transact(self.client, operations) is None

    def change(self, attempt: Callable[[], bool | None], what: str) -> bool:
        """Repeat an attempt until no other writer overtakes it: True written, False overtaken, None nothing to write.

        The result says if it was written. Raises Unavailable when other writers keep overtaking it.
        """

        def once() -> bool:
            written = attempt()
            if written is False:
                raise Overtaken
            return bool(written)

        return optimistic(once, otherwise=Unavailable(f"{what} keeps being changed by other writers"), pause=back_off)

    def overwrite(self, model: str, sort_key: str, values: Values) -> Any:
        """Build the request that stores an item, in place of any other."""
        return {"TableName": self.table, "Item": _item(model, sort_key, values)}

    def once(self, model: str, sort_key: str, values: Values) -> Any:
        """Build the operation that stores an item where none is."""
        condition = {"ConditionExpression": "attribute_not_exists(pk)"}
        return {"Put": {"TableName": self.table, "Item": _item(model, sort_key, values), **condition}}

    def versioned(self, model: str, sort_key: str, values: Values, *, attribute: str, expected: Version) -> Any:
        """Build the operation that stores an item where the stored one is of the expected version; see above."""
        if not expected:
            return self.once(model, sort_key, values)
        condition = {
            "ConditionExpression": "#version = :expected",
            "ExpressionAttributeNames": {"#version": attribute},
            "ExpressionAttributeValues": to_item({":expected": expected}),
        }
        return {"Put": {"TableName": self.table, "Item": _item(model, sort_key, values), **condition}}

    def gone(self, model: str, sort_key: str) -> Any:
        """Build the operation that removes an item; one that is not there is removed already."""
        return {"Delete": {"TableName": self.table, "Key": _key(model, sort_key)}}

    def set(self, model: str, sort_key: str, values: Values) -> Any:
        """Build the operation that sets attributes of an item; those that are None are left as they are."""
        given = {name: value for name, value in values.items() if value is not None}
        return {
            "Update": {
                "TableName": self.table,
                "Key": _key(model, sort_key),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in given),
                "ExpressionAttributeNames": {f"#{name}": name for name in given},
                "ExpressionAttributeValues": to_item({f":{name}": value for name, value in given.items()}),
            }
        }


def _key(model: str, sort_key: str) -> Item:
    return to_item({"pk": model, "sk": sort_key})


def _item(model: str, sort_key: str, values: Values) -> Item:
    return to_item({**values, "pk": model, "sk": sort_key})
