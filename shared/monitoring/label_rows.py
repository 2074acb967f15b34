"""Label records of many predictions in columns, and of each prediction the newest."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from itertools import islice
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from shared.configuration.labels import LabelSource
from shared.monitoring.columns import (
    ABSENT,
    Column,
    Integers,
    MappingColumn,
    Mask,
    TimeColumn,
    ValueColumn,
    Values,
    Vocabulary,
    bytes_of,
    microseconds_of,
)

Row = Mapping[str, Any]
Hashes = npt.NDArray[np.uint64]

LABELLED_OTHERWISE = "labelled_otherwise"
FIRST_VALUED_AT = "first_valued_at"
_TIMES = frozenset({"known_at", "occurred_at", "outcome_due_at", FIRST_VALUED_AT})
_MAPPINGS = frozenset({"probabilities"})
_CHUNK = 4096
_NEVER = np.iinfo(np.int64).max
# Two hashes, a column's values, and what finding the newest takes of each record for a while.
_BYTES_PER_RECORD, _BYTES_PER_VALUE = 64, 9

AnyColumn = ValueColumn | TimeColumn | MappingColumn


@dataclass(frozen=True, eq=False)
class LabelRows(Sequence[Row]):  # noqa: PLW1641  it is as mutable as its arrays
    """Rows that are made when they are looked at; ``fields`` and ``features`` hold their values by name.

    Some of the rows are a view of them all, ``places`` of the columns: nothing is copied before it is read.
    A row does not know its ``prediction_id`` where it was read without: ``hashes`` are two of it.
    """

    fields: Mapping[str, AnyColumn]
    features: Mapping[str, ValueColumn]
    hashes: Hashes
    places: Integers

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "LabelRows":
        """Encode rows, with all that is in them; those that are encoded stay as they are."""
        if isinstance(rows, LabelRows):
            return rows
        rows = list(rows)
        names = dict.fromkeys(name for row in rows for name in row if name not in {"features", "shadow"})
        shadowed = [_flat(row) for row in rows]
        fields = {name: _encoded(name, [row.get(name, ABSENT) for row in rows], None) for name in names}
        fields |= {name: _encoded(name, [row.get(name, ABSENT) for row in shadowed], None) for name in _SHADOW}
        given = dict.fromkeys(name for row in rows for name in row.get("features") or {})
        features = {
            name: ValueColumn.of([(row.get("features") or {}).get(name, ABSENT) for row in rows]) for name in given
        }
        hashes = np.array([hashes_of(str(row.get("prediction_id", ""))) for row in rows], dtype=np.uint64)
        return cls(fields, features, hashes.reshape(len(rows), 2), np.arange(len(rows)))

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> "LabelRows": ...

    def __getitem__(self, place: int | slice) -> "Row | LabelRows":
        if isinstance(place, slice):
            return replace(self, places=self.places[place])
        at = int(self.places[place])
        row = {name: value for name, column in self.fields.items() if (value := column.value(at)) is not ABSENT}
        shadow = {name: row.pop(flat) for flat, name in _SHADOW.items() if flat in row}
        if shadow.get("version") is not None:
            row["shadow"] = {name: value for name, value in shadow.items() if value is not None}
        given = ((name, column.value(at)) for name, column in self.features.items())
        row["features"] = {name: value for name, value in given if value is not ABSENT}
        return row

    def __iter__(self) -> Iterator[Row]:
        return (self[place] for place in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def at(self, places: Values) -> "LabelRows":
        """Pick some of the rows, by their indices or a mask."""
        return replace(self, places=self.places[places])

    def values(self, name: str) -> ValueColumn:
        """Return a field's values; of a field that no row has, as many that are absent."""
        column = self.fields.get(name)
        return column.at(self.places) if isinstance(column, ValueColumn) else ValueColumn.of([ABSENT] * len(self))

    def feature(self, name: str) -> ValueColumn:
        """Return a feature's values."""
        column = self.features.get(name)
        return ValueColumn.of([ABSENT] * len(self)) if column is None else column.at(self.places)

    def times(self, name: str) -> TimeColumn:
        """Return a field's moments; of a field that no row has, none."""
        column = self.fields.get(name)
        return column.at(self.places) if isinstance(column, TimeColumn) else TimeColumn.of([None] * len(self))

    def mappings(self, name: str) -> MappingColumn:
        """Return a field's mappings; of a field that no row has, none."""
        column = self.fields.get(name)
        return column.at(self.places) if isinstance(column, MappingColumn) else MappingColumn.of([None] * len(self))

    @property
    def thinning(self) -> Hashes:
        """Hashes of the ids, that rows are thinned by."""
        found: Hashes = self.hashes[self.places, 1]
        return found

    @property
    def has_value(self) -> Mask:
        """Where the label has a value."""
        return self.values("value").is_given

    @property
    def counts_from(self) -> Integers:
        """When each label came to count, in microseconds: due, and valued for the first time. Never where unknown."""
        valued = self.times(FIRST_VALUED_AT)
        counts = np.maximum(self.times("outcome_due_at").microseconds, valued.microseconds)
        return np.where(valued.is_given, counts, _NEVER)

    def came_to_count(self, after: datetime, until: datetime) -> Mask:
        """Where a label came to count in ``(after, until]``; an amendment later does not count again."""
        counts = self.counts_from
        return (microseconds_of(after) < counts) & (counts <= microseconds_of(until))

    def by_maturity(self) -> "LabelRows":
        """Sort by when labels came to count, those of one moment as if shuffled.

        Ids often tell in which order things happened: a run of errors among labels that came as one delivery would
        look like a fall.
        """
        return self.at(np.lexsort((self.hashes[self.places, 0], self.counts_from)))

    def is_reviewed_alone(self) -> Mask:
        """Where a prediction has its label only because it was picked for review."""
        return self.values("source").is_text(LabelSource.MANUAL.value) & ~self.values(LABELLED_OTHERWISE).is_given

    def as_shadow(self) -> "LabelRows":
        """Put what a version on trial answered unseen in the place of the answers given."""
        whole = replace(self, places=np.arange(len(self.hashes)))
        answers: dict[str, AnyColumn] = {
            "score": whole.values("shadow.score"),
            "decision": whole.values("shadow.decision"),
            "probabilities": whole.mappings("shadow.probabilities"),
        }
        return replace(self, fields={**self.fields, **answers})


_SHADOW = {
    "shadow.version": "version",
    "shadow.score": "score",
    "shadow.decision": "decision",
    "shadow.probabilities": "probabilities",
}


@dataclass(slots=True)
class RecordCollector:
    """Takes label records of one model in, a few bytes each; ``names`` and ``features`` are what is kept of them."""

    names: Collection[str]
    features: Collection[str]
    vocabularies: dict[str, Vocabulary] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        fields = [name for name in self.names if name != "shadow"]
        self.names = [*fields, *(_SHADOW if "shadow" in self.names else ())]
        self.vocabularies = {name: Vocabulary() for name in (*self.names, *map(_feature, self.features))}

    @property
    def size(self) -> int:
        """Estimated bytes of what was taken in."""
        width = _BYTES_PER_RECORD + _BYTES_PER_VALUE * len(self.vocabularies)
        return self.count * width + bytes_of(self.vocabularies.values())

    def take(self, rows: Iterable[dict[str, Any]]) -> Iterator["RecordChunk"]:
        """Encode rows, some thousand at a time."""
        remaining = iter(rows)
        while chunk := [_flat(row) for row in islice(remaining, _CHUNK)]:
            self.count += len(chunk)
            yield self._encode(chunk)

    def _encode(self, rows: list[dict[str, Any]]) -> "RecordChunk":
        columns: dict[str, AnyColumn] = {
            name: _encoded(name, [row.get(name, ABSENT) for row in rows], self.vocabularies[name])
            for name in self.names
        }
        for name in self.features:
            values = [row["features"].get(name, ABSENT) for row in rows]
            columns[_feature(name)] = ValueColumn.of(values, self.vocabularies[_feature(name)])
        hashes = np.array([hashes_of(row["prediction_id"]) for row in rows], dtype=np.uint64).reshape(len(rows), 2)
        return RecordChunk(columns, hashes, np.array([row["seq"] for row in rows], dtype=np.int64))

    def newest(self, chunks: list["RecordChunk"]) -> LabelRows:
        """Find of each prediction the record with the highest ``seq``, in the order in which predictions first came.

        It tells of those before it: a reviewer's is marked as ``labelled_otherwise`` if an earlier one had a value from
        another source, and each has ``first_valued_at``, when its prediction first had a value; None where its first
        record is not among the rows, so that nobody can tell. The chunks are used up.
        """
        chunks = chunks or [self._encode([])]
        hashes = np.concatenate([chunk.hashes for chunk in chunks])
        seq = np.concatenate([chunk.seq for chunk in chunks])
        joined = {
            name: _joined([chunk.columns.pop(name) for chunk in chunks]) for name in ("value", "known_at", "source")
        }
        found = _newest(hashes, seq, joined["value"], joined["known_at"], joined["source"])
        fields, features = dict[str, AnyColumn](), dict[str, ValueColumn]()
        for name in self.names:
            column = joined.pop(name) if name in joined else _joined([chunk.columns.pop(name) for chunk in chunks])
            fields[name] = column.at(found.places)
        for name in self.features:
            column = _joined([chunk.columns.pop(_feature(name)) for chunk in chunks])
            assert isinstance(column, ValueColumn)
            features[name] = column.at(found.places)
        fields[FIRST_VALUED_AT] = found.first_valued
        fields[LABELLED_OTHERWISE] = found.labelled_otherwise
        return LabelRows(fields, features, hashes[found.places], np.arange(len(found.places)))


@dataclass(frozen=True, slots=True)
class RecordChunk:
    """Some thousand records: their columns, the hashes of their predictions' ids, and their numbers."""

    columns: dict[str, AnyColumn]
    hashes: Hashes
    seq: Integers


def newest_records(rows: Iterable[dict[str, Any]]) -> LabelRows:
    """Find of each prediction's label records the one with the highest ``seq``; see ``RecordCollector.newest``."""
    given = list(rows)
    names = dict.fromkeys(name for row in given for name in row if name not in {"features"})
    features = dict.fromkeys(name for row in given for name in row.get("features") or {})
    collector = RecordCollector(list(dict.fromkeys([*names, "value", "known_at", "source"])), list(features))
    return collector.newest(list(collector.take({"features": {}, **row} for row in given)))


def hashes_of(prediction_id: str) -> tuple[int, int]:
    """Hash an id twice: to shuffle by, and to thin by. Together they tell predictions apart."""
    encoded = prediction_id.encode()
    shuffled = blake2b(encoded, digest_size=8).digest()
    thinning = blake2b(encoded, digest_size=8, person=b"thinning").digest()
    return int.from_bytes(shuffled, "big"), int.from_bytes(thinning, "big")


@dataclass(frozen=True, slots=True)
class _Newest:
    places: Integers
    first_valued: TimeColumn
    labelled_otherwise: ValueColumn


def _newest(hashes: Hashes, seq: Integers, value: Column, known_at: Column, source: Column) -> _Newest:
    assert isinstance(value, ValueColumn)
    assert isinstance(known_at, TimeColumn)
    assert isinstance(source, ValueColumn)
    # Within a prediction the highest number first, of equal ones what came first.
    order = np.lexsort((-seq, hashes[:, 1], hashes[:, 0]))
    if not len(order):
        return _Newest(order, TimeColumn.of([]), ValueColumn.of([]))
    ordered = hashes[order]
    starts = np.flatnonzero(np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)]))
    has_value, is_manual = value.is_given, source.is_text(LabelSource.MANUAL.value)
    begun = np.logical_or.reduceat((seq == 1)[order], starts)
    valued = np.minimum.reduceat(np.where(has_value, known_at.microseconds, _NEVER)[order], starts)
    otherwise = np.logical_or.reduceat((has_value & ~is_manual)[order], starts)
    by_coming = np.argsort(np.minimum.reduceat(order, starts), kind="stable")
    places = order[starts][by_coming]
    first_valued = np.where(begun & (valued != _NEVER), valued, np.iinfo(np.int64).min)[by_coming]
    marked = otherwise[by_coming] & is_manual[places]
    return _Newest(places, TimeColumn(first_valued), ValueColumn.of([True if mark else ABSENT for mark in marked]))


def _encoded(name: str, values: list[Any], vocabulary: Vocabulary | None) -> AnyColumn:
    if name in _TIMES:
        return TimeColumn.of([None if value is ABSENT else value for value in values])
    if name.rpartition(".")[2] in _MAPPINGS:
        return MappingColumn.of(values, vocabulary)
    return ValueColumn.of(values, vocabulary)


def _joined(columns: list[AnyColumn]) -> AnyColumn:
    kind: Any = type(columns[0])
    found: AnyColumn = kind.joined(columns)
    return found


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Lay what a version on trial said beside a row's own fields."""
    said = row.get("shadow")
    if not isinstance(said, Mapping):
        return dict(row)
    return {**row, **{flat: said[name] for flat, name in _SHADOW.items() if name in said}}


def _feature(name: str) -> str:
    return f"features.{name}"
