"""moto's transactions without a copy of all tables before each: what they touch is copied, and put back."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from moto.dynamodb import models
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table


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


def _keys(item: dict[str, Any]) -> tuple[DynamoType, DynamoType]:
    return DynamoType(item["pk"]), DynamoType(item["sk"])
