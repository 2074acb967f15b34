"""The codec of what is kept: records to plain values that JSON and DynamoDB can hold, and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self, TypeVar, dataclass_transform

import msgspec

from hindsight.core.errors import UnreadableRecord
from hindsight.core.times import format_time

T = TypeVar("T")

_PLAIN = frozenset({str, int, float, bool, type(None)})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of what is kept: named, immutable, its defaults left out where it is stored.

    >>> from datetime import UTC
    >>> class Visit(Record):
    ...     at: datetime
    ...     page: str = "/"
    >>> stored = Visit(at=datetime(2026, 3, 1, 12, tzinfo=UTC)).to_plain()
    >>> stored
    {'at': '2026-03-01T12:00:00.000000Z'}
    >>> Visit.from_plain(stored).page
    '/'
    """

    def to_plain(self) -> dict[str, Any]:
        """Convert to plain values: text, numbers, booleans, lists and mappings; moments as RFC 3339 text."""
        plain: dict[str, Any] = to_plain(self)
        return plain

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Self:
        """Read a record back; names that it does not know are passed over. Raises UnreadableRecord."""
        return from_plain(cls, values)

    def replace(self, **changes: Any) -> Self:
        """Copy the record with other values for some of its fields."""
        return msgspec.structs.replace(self, **changes)


def to_plain(value: object) -> Any:
    """Convert a record, or a collection of them, to plain values. Equal moments give equal text of one length."""
    return _with_texts(msgspec.to_builtins(value, builtin_types=(datetime,), enc_hook=_plain_number))


def from_plain(kind: type[T], values: object) -> T:
    """Read a value of a type back from plain values. Raises UnreadableRecord, which names the field at fault."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise UnreadableRecord(f"a stored {getattr(kind, '__name__', kind)} cannot be read: {error}") from error


def _plain_number(value: object) -> float:
    # A mean that numpy computed is a float, but of numpy's type.
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"a {type(value).__name__} cannot be stored")


def _with_texts(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    # Most values are texts and numbers: a call for each would take longer than all else.
    if isinstance(value, dict):
        return {name: child if type(child) in _PLAIN else _with_texts(child) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [child if type(child) in _PLAIN else _with_texts(child) for child in value]
    return value
