"""Records as the attributes of an item, and back."""

import json
import zlib
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from hindsight.core import compact_json
from hindsight.core.codec import from_plain, to_plain

T = TypeVar("T")

_COMPRESS_ABOVE_BYTES = 1024


def to_attributes(record: object, texts: Collection[str] = ()) -> dict[str, Any]:
    """Convert a record to attributes, those in ``texts`` packed: a double does not fit the numbers of the table."""
    plain: dict[str, Any] = to_plain(record)
    return plain | {name: pack(plain[name]) for name in texts if plain.get(name) is not None}


def from_attributes(kind: type[T], item: Mapping[str, Any], texts: Collection[str] = ()) -> T:
    """Read a record from attributes, those in ``texts`` packed; the others are passed over. Raises UnreadableRecord."""
    return from_plain(kind, {**item, **{name: unpack(item[name]) for name in texts if name in item}})


def pack(value: object) -> str | bytes:
    """Pack a value as compact JSON, beyond 1 KiB compressed: write units are the bill."""
    text = compact_json.dumps(value)
    encoded = text.encode()
    return text if len(encoded) <= _COMPRESS_ABOVE_BYTES else zlib.compress(encoded)


def unpack(packed: str | bytes) -> Any:
    """Read a value that was packed."""
    return json.loads(packed if isinstance(packed, str) else zlib.decompress(packed))
