"""Columns of JSON values, a few bytes a value, so that a million label records fit in memory."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from hindsight.core.times import microseconds, moment_text, parse_time

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[Any]

ABSENT: Any = object()  # the value of a field that a row does not have
_ABSENT, _NONE, _BOOLEAN, _INTEGER, _FLOAT, _OTHER = range(6)
_TAG_OF = {type(ABSENT): _ABSENT, type(None): _NONE, bool: _BOOLEAN, int: _INTEGER, float: _FLOAT}
_EXACT = 2**53  # integers up to here are exact as doubles
_MICROSECOND = timedelta(microseconds=1)
_TIME_LENGTH = len("2026-03-01T12:00:00.000000Z")
_NOT_A_TIME = np.iinfo(np.int64).min
# An entry of a vocabulary: its text, its key and its place.
_BYTES_PER_WORD = 250


@dataclass(slots=True)
class Vocabulary:
    """Values that are no plain numbers, each kept once; columns that were encoded with one vocabulary share it."""

    words: list[Any] = field(default_factory=list)
    _places: dict[Any, int] = field(default_factory=dict)

    def place(self, value: Any) -> int:
        """Find a value's place, a new one for a value that is new."""
        key = value if isinstance(value, str) else (type(value).__name__, json.dumps(value, sort_keys=True))
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self.words)
            self.words.append(value)
        return place

    def known(self, text: str) -> int | None:
        """Find a text's place, None where it was never met."""
        return self._places.get(text)

    @property
    def size(self) -> int:
        """Estimated bytes."""
        return len(self.words) * _BYTES_PER_WORD


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """JSON values of any kind: nine bytes each, and each text once."""

    tags: npt.NDArray[np.uint8]
    payload: Floats
    vocabulary: Vocabulary

    @classmethod
    def of(cls, values: Sequence[Any], vocabulary: Vocabulary | None = None) -> "ValueColumn":
        """Encode values."""
        known = Vocabulary() if vocabulary is None else vocabulary
        (kind, *others) = set(map(type, values)) or {float}
        if not others and kind is float:
            return cls(np.full(len(values), _FLOAT, dtype=np.uint8), np.array(values, dtype=np.float64), known)
        if not others and kind is str:
            places = np.array(list(map(known.place, values)), dtype=np.float64)
            return cls(np.full(len(values), _OTHER, dtype=np.uint8), places, known)
        coded = [_encode(value, known) for value in values]
        tags = np.array([tag for tag, _ in coded], dtype=np.uint8)
        return cls(tags, np.array([payload for _, payload in coded], dtype=np.float64), known)

    @classmethod
    def joined(cls, columns: Sequence["ValueColumn"]) -> "ValueColumn":
        """Join columns of one vocabulary."""
        if not columns:
            return cls.of(())
        tags, payload = ([getattr(column, name) for column in columns] for name in ("tags", "payload"))
        return cls(np.concatenate(tags), np.concatenate(payload), columns[0].vocabulary)

    def __len__(self) -> int:
        return len(self.tags)

    def at(self, places: Values) -> "ValueColumn":
        """Pick some of the values, by their indices or a mask."""
        return ValueColumn(self.tags[places], self.payload[places], self.vocabulary)

    def moved(self, vocabulary: Vocabulary) -> "ValueColumn":
        """Put the words that these values need into another vocabulary."""
        payload, is_word = self.payload.copy(), self.tags == _OTHER
        found, codes = np.unique(payload[is_word].astype(np.int64), return_inverse=True)
        places = [vocabulary.place(self.vocabulary.words[place]) for place in found.tolist()]
        payload[is_word] = np.array(places, dtype=np.float64)[codes.reshape(-1)]
        return ValueColumn(self.tags, payload, vocabulary)

    def value(self, place: int) -> Any:
        """Give one value back as it was, ABSENT where the row had none."""
        return _decode(int(self.tags[place]), float(self.payload[place]), self.vocabulary)

    @property
    def is_given(self) -> Mask:
        """Mask of the values that are neither absent nor null."""
        return self.tags > _NONE

    @property
    def is_true(self) -> Mask:
        """Mask of the values that are true."""
        found: Mask = (self.tags == _BOOLEAN) & (self.payload != 0)
        return found

    @property
    def numbers(self) -> Floats:
        """The values as floats, NaN where one is no number; a truth value is none."""
        found = np.where((self.tags == _INTEGER) | (self.tags == _FLOAT), self.payload, np.nan)
        if (other := self.tags == _OTHER).any():
            words = [_as_float(word) if isinstance(word, int) else np.nan for word in self.vocabulary.words]
            found[other] = np.array(words)[self.payload[other].astype(np.int64)]
        return found

    def is_text(self, wanted: str) -> Mask:
        """Mask of the values that are a certain text."""
        place = self.vocabulary.known(wanted)
        found: Mask = (self.tags == _OTHER) & (self.payload == (-1.0 if place is None else place))
        return found

    def mapped(self, make: Callable[[list[Any]], Values]) -> Values:
        """Convert the values to an array; ``make`` sees each different value once, ABSENT as None."""
        distinct, codes = self.distinct()
        return make(distinct)[codes]

    def distinct(self) -> tuple[list[Any], Integers]:
        """List the different values in the order in which they first come, and each row's place among them."""
        tags, payload = np.maximum(self.tags, _NONE), self.payload.view(np.uint64)
        values, first = list[Any](), list[int]()
        codes = np.empty(len(self), dtype=np.int64)
        for tag in np.unique(tags).tolist():
            places = np.flatnonzero(tags == tag)
            found, begins, inverse = np.unique(payload[places], return_index=True, return_inverse=True)
            codes[places] = inverse.reshape(-1) + len(values)
            first += places[begins].tolist()
            values += [_decode(tag, held, self.vocabulary) for held in found.view(np.float64).tolist()]
        order = np.argsort(np.array(first, dtype=np.int64), kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        return [values[number] for number in order.tolist()], place[codes]


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """Moments as microseconds since 1970, eight bytes each."""

    microseconds: Integers

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> "TimeColumn":
        """Encode moments as rows have them; None stays None. Raises InvalidInput for any other value."""
        if texts and all(text is not None and len(text) == _TIME_LENGTH and text[-1] == "Z" for text in texts):
            try:
                found = np.array([text[:-1] for text in texts if text is not None], dtype="datetime64[us]")
                return cls(found.astype(np.int64))
            except ValueError:
                pass
        moments = [_NOT_A_TIME if text is None else microseconds(parse_time(text)) for text in texts]
        return cls(np.array(moments, dtype=np.int64))

    @classmethod
    def joined(cls, columns: Sequence["TimeColumn"]) -> "TimeColumn":
        """Join columns."""
        return cls(np.concatenate([column.microseconds for column in columns]) if columns else np.array([], np.int64))

    def __len__(self) -> int:
        return len(self.microseconds)

    def at(self, places: Values) -> "TimeColumn":
        """Pick some of the moments, by their indices or a mask."""
        return TimeColumn(self.microseconds[places])

    def moved(self, _vocabulary: Vocabulary) -> "TimeColumn":
        """Keep the moments: they need no words."""
        return self

    def value(self, place: int) -> Any:
        """Give one moment back as a text, None where there is none."""
        found = int(self.microseconds[place])
        return None if found == _NOT_A_TIME else moment_text(found)

    @property
    def is_given(self) -> Mask:
        """Mask of the moments that are given."""
        found: Mask = self.microseconds != _NOT_A_TIME
        return found

    def texts(self, unit: timedelta, length: int) -> list[str]:
        """List the moments' texts up to a length, of days or hours: each of them is made once."""
        size = unit // _MICROSECOND
        units, codes = np.unique(self.microseconds // size, return_inverse=True)
        made = [moment_text(int(found) * size)[:length] for found in units]
        return [made[code] for code in codes.reshape(-1).tolist()]


def _encode(value: Any, vocabulary: Vocabulary) -> tuple[int, float]:
    if value is ABSENT or value is None:
        return (_ABSENT if value is ABSENT else _NONE), 0.0
    tag = _TAG_OF.get(type(value), _OTHER)
    if tag == _OTHER or (tag == _INTEGER and abs(value) > _EXACT):
        return _OTHER, float(vocabulary.place(value))
    return tag, float(value)


def _decode(tag: int, payload: float, vocabulary: Vocabulary) -> Any:
    if tag == _FLOAT:
        return payload
    if tag == _OTHER:
        return vocabulary.words[int(payload)]
    if tag in {_INTEGER, _BOOLEAN}:
        return int(payload) if tag == _INTEGER else bool(payload)
    return None if tag == _NONE else ABSENT


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:  # JSON has integers beyond the largest double
        return np.nan
