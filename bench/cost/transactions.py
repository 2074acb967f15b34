"""moto's transactions without a copy of all tables before each, and its queries without sorting all items for each."""

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from moto.dynamodb import models
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

# Where moto's query is given an index, after the hash key.
_INDEX_NAME = 6


@contextmanager
def quick_transactions() -> Iterator[None]:
    """Make transactions cost what they write, not what the tables hold."""
    write, whole = models.DynamoDBBackend.transact_write_items, models.copy  # type: ignore[attr-defined]

    def transact(self: Any, items: list[dict[str, Any]]) -> Any:
        touched = [
            (self.tables[change["TableName"]].items, *_keys(change.get("Item") or change["Key"]))
            for one in items
            for change in one.values()
        ]
        saved = [copy.deepcopy(rows.get(pk, {}).get(sk)) for rows, pk, sk in touched]
        try:
            return write(self, items)
        except BaseException:
            for (rows, pk, sk), item in zip(touched, saved, strict=True):
                rows[pk].pop(sk, None)
                if item is not None:
                    rows[pk][sk] = item
            raise

    models.DynamoDBBackend.transact_write_items = transact  # type: ignore[assignment,method-assign]
    models.copy = SimpleNamespace(  # type: ignore[assignment,attr-defined]
        copy=copy.copy,
        deepcopy=lambda value: value if isinstance(value, Table) else copy.deepcopy(value),
    )
    try:
        yield
    finally:
        models.DynamoDBBackend.transact_write_items = write  # type: ignore[method-assign]
        models.copy = whole  # type: ignore[attr-defined]


@contextmanager
def quick_queries() -> Iterator[None]:
    """Make queries look at the items that have their hash key, and none for an index that they are not in."""
    query, every, asked = Table.query, Table.all_items, threading.local()

    def narrowed(self: Table, hash_key: Any, *arguments: Any, **named: Any) -> Any:
        index = arguments[_INDEX_NAME]
        if index is not None:
            (key, *_) = [part["AttributeName"] for part in self.get_index(index).schema if part["KeyType"] == "HASH"]
            rows = [item for found in list(self.items.values()) for item in list(found.values())]
            asked.items = [item for item in rows if key in item.attrs]
        elif hash_key is not None:
            asked.items = list(self.items.get(hash_key, {}).values())
        try:
            return query(self, hash_key, *arguments, **named)
        finally:
            asked.items = None

    def items(self: Table) -> Any:
        found = getattr(asked, "items", None)
        return every(self) if found is None else found

    Table.query, Table.all_items = narrowed, items  # type: ignore[method-assign]
    try:
        yield
    finally:
        Table.query, Table.all_items = query, every  # type: ignore[method-assign]


def _keys(item: dict[str, Any]) -> tuple[DynamoType, DynamoType]:
    return DynamoType(item["pk"]), DynamoType(item["sk"])
