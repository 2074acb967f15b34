"""A client of DynamoDB that counts what AWS would bill: units of the table, and of each index."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from bench.cost.units import index_units, item_bytes, read_units, write_units

TABLE = "predictions"

Item = dict[str, Any]


class CountingClient:
    """A wrapper of moto's client that counts calls' units: ``writes``, ``writes:{index}``, ``reads``, ``records``.

    ``records`` are the changes that the table's stream carries.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._indexes = client.describe_table(TableName=TABLE)["Table"]["GlobalSecondaryIndexes"]
        self._lock = threading.Lock()
        self.exceptions = client.exceptions
        self.units: Counter[str] = Counter()

    def put_item(self, **request: Any) -> Any:
        """Put an item, and count it."""
        key = _key(request["Item"])
        before = self._image(key)
        answer = self._client.put_item(**request)
        self._count_write(before, request["Item"], transactional=False)
        return answer

    def transact_write_items(self, **request: Any) -> Any:
        """Write a transaction, and count its items."""
        keys = [_key(_target(operation)) for operation in request["TransactItems"]]
        before = [self._image(key) for key in keys]
        answer = self._client.transact_write_items(**request)
        for key, image in zip(keys, before, strict=True):
            self._count_write(image, self._image(key), transactional=True)
        return answer

    def get_item(self, **request: Any) -> Any:
        """Read an item, and count it."""
        answer = self._client.get_item(**request)
        self._count_reads([answer.get("Item")], consistent=bool(request.get("ConsistentRead")))
        return answer

    def batch_get_item(self, **request: Any) -> Any:
        """Read items, and count those that are not there too."""
        answer = self._client.batch_get_item(**request)
        for table, asked in request["RequestItems"].items():
            found = answer["Responses"].get(table, [])
            missing = [None] * (len(asked["Keys"]) - len(found))
            self._count_reads([*found, *missing], consistent=bool(asked.get("ConsistentRead")))
        return answer

    def get_paginator(self, operation: str) -> "_CountingPages":
        """Build a paginator of a query that counts its pages."""
        return _CountingPages(self, self._client.get_paginator(operation))

    def count_page(self, items: list[Item], *, consistent: bool) -> None:
        """Count a page of a query: its items together."""
        with self._lock:
            self.units["reads"] += read_units(sum(map(item_bytes, items)), consistent=consistent)  # type: ignore[assignment]

    def _image(self, key: Item) -> Item | None:
        found: Item | None = self._client.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")
        return found

    def _count_write(self, before: Item | None, after: Item | None, *, transactional: bool) -> None:
        size = max(item_bytes(image) for image in (before or {}, after or {}))
        with self._lock:
            self.units["writes"] += write_units(size, transactional=transactional)
            self.units["records"] += before != after
            for index in self._indexes:
                self.units[f"writes:{index['IndexName']}"] += index_units(index, before, after)

    def _count_reads(self, items: list[Any], *, consistent: bool) -> None:
        with self._lock:
            for item in items:
                self.units["reads"] += read_units(item_bytes(item) if item else 0, consistent=consistent)  # type: ignore[assignment]


class _CountingPages:
    def __init__(self, client: CountingClient, pages: Any) -> None:
        self._client = client
        self._pages = pages

    def paginate(self, **request: Any) -> Iterator[Any]:
        for page in self._pages.paginate(**request):
            self._client.count_page(page["Items"], consistent=bool(request.get("ConsistentRead")))
            yield page


def _key(item: Mapping[str, Any]) -> Item:
    return {name: item[name] for name in ("pk", "sk")}


def _target(operation: Mapping[str, Any]) -> Item:
    [request] = operation.values()
    found: Item = request.get("Item") or request["Key"]
    return found
