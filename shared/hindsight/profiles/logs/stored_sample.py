"""Stored profiles without some rows of their samples: the counts stay as they are, packed.

Nothing here imports the library that reads the sketches.
"""

from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from hindsight.core.errors import UnreadableObject

_FORMAT = 1
_SAMPLE, _ROWS, _BY_VERSION = 7, 2, 2
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


def without_rows(content: bytes, prediction_ids: AbstractSet[str]) -> tuple[bytes, int]:
    """Remove the rows of some predictions from a profile, and count them. Raises UnreadableObject."""
    packed = _unpacked(content)
    sample = packed[_SAMPLE]
    left = [row for row in sample[_ROWS] if _decode(row[1])["prediction_id"] not in prediction_ids]
    taken = len(sample[_ROWS]) - len(left)
    if not taken:
        return content, 0
    sample[_ROWS] = left
    return _encode(packed), taken


def hour_without_rows(content: bytes, prediction_ids: AbstractSet[str]) -> tuple[bytes, int]:
    """Remove the rows of some predictions from the profiles of an hour, and count them. Raises UnreadableObject."""
    packed = _unpacked(content)
    cleaned = {version: without_rows(held, prediction_ids) for version, held in packed[_BY_VERSION].items()}
    taken = sum(count for _, count in cleaned.values())
    if not taken:
        return content, 0
    packed[_BY_VERSION] = {version: left for version, (left, _) in cleaned.items()}
    return _encode(packed), taken


def _unpacked(content: bytes) -> list[Any]:
    try:
        packed: list[Any] = _decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableObject(f"this is no profile: {error}") from error
    if not isinstance(packed, list) or packed[0] != _FORMAT:
        raise UnreadableObject("the profile has a format that this release does not read")
    return packed
