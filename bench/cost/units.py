"""The units that DynamoDB, Firehose and S3 bill for one call, from the sizes of what is written and read."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

Item = Mapping[str, Any]
Index = Mapping[str, Any]

WRITE_BYTES, READ_BYTES, RECORD_BYTES = 1024, 4096, 5 * 1024
# A number takes a byte for two digits and one more; a list or a map three bytes, and one an element.
_CONTAINER_BYTES, _ELEMENT_BYTES = 3, 1


def item_bytes(item: Item) -> int:
    """Compute the size of an item in DynamoDB's own form: names and values.

    >>> item_bytes({"pk": {"S": "a" * 1022}})
    1024
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            size = len(content.encode())
        case "N":
            digits = content.lstrip("-").replace(".", "").lower().split("e")[0].strip("0")
            size = min(21, math.ceil(len(digits) / 2) + 1 + content.startswith("-"))
        case "B":
            size = len(bytes(content))
        case "L":
            size = _CONTAINER_BYTES + sum(_ELEMENT_BYTES + _value_bytes(child) for child in content)
        case "M":
            parts = (_ELEMENT_BYTES + len(name.encode()) + _value_bytes(child) for name, child in content.items())
            size = _CONTAINER_BYTES + sum(parts)
        case "SS" | "NS" | "BS":
            size = sum(_value_bytes({kind[0]: child}) for child in content)
        case _:
            size = 1
    return size


def write_units(size: int, *, transactional: bool = False) -> int:
    """Compute the write units of an item of so many bytes, the larger of before and after.

    >>> write_units(1025), write_units(100, transactional=True), write_units(0)
    (2, 2, 1)
    """
    return max(1, math.ceil(size / WRITE_BYTES)) * (2 if transactional else 1)


def read_units(size: int, *, consistent: bool) -> float:
    """Compute the read units of an item, or of a query's items together.

    >>> read_units(9 * 1024, consistent=False), read_units(0, consistent=True)
    (1.5, 1.0)
    """
    return max(1, math.ceil(size / READ_BYTES)) * (1.0 if consistent else 0.5)


def index_units(index: Index, before: Item | None, after: Item | None) -> int:
    """Compute the write units that a change of an item costs in one index.

    A change of the index's key is a deletion and an insertion; a change of what it does not project is nothing.
    """
    old, new = _projected(index, before), _projected(index, after)
    if old == new:
        return 0
    keys = [part["AttributeName"] for part in index["KeySchema"]]
    sizes = [item_bytes(found) for found in (old, new) if found is not None]
    if old is None or new is None or all(old[name] == new[name] for name in keys):
        return write_units(max(sizes))
    return sum(write_units(size) for size in sizes)


def _projected(index: Index, item: Item | None) -> Item | None:
    keys = [part["AttributeName"] for part in index["KeySchema"]]
    if item is None or any(name not in item for name in keys):
        return None
    projection = index["Projection"]
    if projection["ProjectionType"] == "ALL":
        return item
    names = {*keys, "pk", "sk", *projection.get("NonKeyAttributes", [])}
    return {name: value for name, value in item.items() if name in names}


def firehose_bytes(records: Sequence[bytes]) -> int:
    """Compute the bytes that Firehose bills: each record rounded up to five kilobytes.

    >>> firehose_bytes([b"x", b"y" * 5121])
    15360
    """
    return sum(max(1, math.ceil(len(record) / RECORD_BYTES)) * RECORD_BYTES for record in records)
