"""A collector of one model's label records in columns, which finds the newest of each prediction."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from hindsight.config.labels import LabelKind
from hindsight.label_records.columns import (
    ABSENT,
    Integers,
    Mask,
    TimeColumn,
    ValueColumn,
    Vocabulary,
)
from hindsight.label_records.hash_column import HashColumn
from hindsight.label_records.mapping_column import MappingColumn
from hindsight.label_records.rows import (
    ENTITY,
    FIRST_VALUED_AT,
    LABELLED_WITHOUT_REVIEW,
    NEVER,
    SHADOW,
    AnyColumn,
    LabelRows,
    encoded,
    entity_keys,
    flat,
    hashes_of,
)
from hindsight.label_records.sampling import MIN_SHARE, WHOLE, Hashes, is_line_sampled, is_sampled

_CHUNK = 4096
# Two hashes, a column's values, and what finding the newest takes of each record for a while.
_BYTES_PER_RECORD, _BYTES_PER_VALUE, _BYTES_PER_NUMBER = 64, 9, 8


@dataclass(slots=True)
class RecordCollector:
    """A collector of a model's label records, a few bytes each; ``names`` and ``features`` are the fields it keeps.

    Of more records than it has room for it keeps a sample, ``share`` of the predictions; where it keeps entities, also
    the records of ``share`` of the entities, since a canary is judged by whole entities.
    """

    names: Collection[str]
    features: Collection[str]
    share: float = WHOLE
    vocabularies: dict[str, Vocabulary] = field(default_factory=dict)
    count: int = 0
    numbers: int = 0

    def __post_init__(self) -> None:
        fields = [name for name in self.names if name != "shadow"]
        self.names = [*fields, *(SHADOW if "shadow" in self.names else ())]
        self.vocabularies = {name: Vocabulary() for name in (*self.names, *map(_feature, self.features))}

    @property
    def size(self) -> int:
        """Estimated bytes of what is held."""
        words = sum(vocabulary.size for vocabulary in self.vocabularies.values())
        return self.count * self.record_bytes + self.numbers * _BYTES_PER_NUMBER + words

    @property
    def record_bytes(self) -> int:
        """Estimated bytes of a record, beside the words and numbers of its mappings."""
        return _BYTES_PER_RECORD + _BYTES_PER_VALUE * len(self.vocabularies)

    def is_wanted(self, line: bytes) -> bool:
        """Find whether a line of JSON is of the sample."""
        return is_line_sampled(line, self.share, by_entity=ENTITY in self.names)

    def take(self, rows: Iterable[dict[str, Any]]) -> Iterator["RecordChunk"]:
        """Encode the rows of the sample, some thousand at a time."""
        remaining = iter(rows)
        while chunk := [flat(row) for row in islice(remaining, _CHUNK)]:
            encoded_ = self._encode(chunk)
            yield self._counted(encoded_ if self.share == WHOLE else encoded_.at(self._sampled(encoded_)))

    def fit(self, chunks: list["RecordChunk"], max_bytes: int) -> None:
        """Halve the share until the records fit, and drop those that are no longer of the sample."""
        while self.size > max_bytes and self.count and self.share > MIN_SHARE:
            self.share /= 2
            self.count = self.numbers = 0
            words = {name: Vocabulary() for name in self.vocabularies}
            for place, chunk in enumerate(chunks):
                chunks[place] = self._counted(chunk.at(self._sampled(chunk)).moved(words))
            self.vocabularies = words

    def _counted(self, chunk: "RecordChunk") -> "RecordChunk":
        self.count += len(chunk.seq)
        self.numbers += chunk.numbers
        return chunk

    def _sampled(self, chunk: "RecordChunk") -> Mask:
        keys = chunk.hashes[:, 1]
        found, entities = is_sampled(keys, self.share), chunk.columns.get(ENTITY)
        if not isinstance(entities, HashColumn):
            return found
        return found | is_sampled(entity_keys(entities, keys), self.share)

    def _encode(self, rows: list[dict[str, Any]]) -> "RecordChunk":
        columns: dict[str, AnyColumn] = {
            name: encoded(name, [row.get(name, ABSENT) for row in rows], self.vocabularies[name]) for name in self.names
        }
        for name in self.features:
            values = [row["features"].get(name, ABSENT) for row in rows]
            columns[_feature(name)] = ValueColumn.of(values, self.vocabularies[_feature(name)])
        hashes = np.array([hashes_of(row["prediction_id"]) for row in rows], dtype=np.uint64).reshape(len(rows), 2)
        return RecordChunk(columns, hashes, np.array([row["seq"] for row in rows], dtype=np.int64))

    def newest(self, chunks: list["RecordChunk"]) -> LabelRows:
        """Find of each prediction the record with the highest ``seq``, in the order in which predictions first came.

        It carries facts of those before it: a reviewer's is marked as ``labelled_without_review`` if an earlier one had
        a value of another kind, and each has ``first_valued_at``, when its prediction first had a value; None where
        its first record is not among the rows. The chunks are used up.
        """
        chunks = chunks or [self._encode([])]
        hashes = np.concatenate([chunk.hashes for chunk in chunks])
        seq = np.concatenate([chunk.seq for chunk in chunks])
        joined = {
            name: _joined([chunk.columns.pop(name) for chunk in chunks]) for name in ("value", "known_at", "kind")
        }
        found = _newest(hashes, seq, joined["value"], joined["known_at"], joined["kind"])
        fields, features = dict[str, AnyColumn](), dict[str, ValueColumn]()
        for name in self.names:
            column = joined.pop(name) if name in joined else _joined([chunk.columns.pop(name) for chunk in chunks])
            fields[name] = column.at(found.places)
        for name in self.features:
            column = _joined([chunk.columns.pop(_feature(name)) for chunk in chunks])
            assert isinstance(column, ValueColumn)
            features[name] = column.at(found.places)
        fields[FIRST_VALUED_AT] = found.first_valued
        fields[LABELLED_WITHOUT_REVIEW] = found.labelled_without_review
        return LabelRows(fields, features, hashes[found.places], np.arange(len(found.places)))


@dataclass(frozen=True, slots=True)
class RecordChunk:
    """A chunk of some thousand records: their columns, the hashes of their predictions' ids, and their numbers."""

    columns: dict[str, AnyColumn]
    hashes: Hashes
    seq: Integers

    @property
    def numbers(self) -> int:
        """The count of numbers in its mappings."""
        return sum(len(column.numbers) for column in self.columns.values() if isinstance(column, MappingColumn))

    def at(self, chosen: Mask) -> "RecordChunk":
        """Pick some of the records."""
        columns: dict[str, AnyColumn] = {name: column.at(chosen) for name, column in self.columns.items()}
        return RecordChunk(columns, self.hashes[chosen], self.seq[chosen])

    def moved(self, vocabularies: Mapping[str, Vocabulary]) -> "RecordChunk":
        """Copy the entries of vocabularies that these records need into others."""
        columns: dict[str, AnyColumn] = {
            name: column.moved(vocabularies[name]) for name, column in self.columns.items()
        }
        return RecordChunk(columns, self.hashes, self.seq)


@dataclass(frozen=True, slots=True)
class _Newest:
    places: Integers
    first_valued: TimeColumn
    labelled_without_review: ValueColumn


def _newest(hashes: Hashes, seq: Integers, value: AnyColumn, known_at: AnyColumn, kind: AnyColumn) -> _Newest:
    assert isinstance(value, ValueColumn)
    assert isinstance(known_at, TimeColumn)
    assert isinstance(kind, ValueColumn)
    # Within a prediction the highest number first, of equal ones what came first.
    order = np.lexsort((-seq, hashes[:, 1], hashes[:, 0]))
    if not len(order):
        return _Newest(order, TimeColumn.of([]), ValueColumn.of([]))
    ordered = hashes[order]
    starts = np.flatnonzero(np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)]))
    has_value, is_manual = value.is_given, kind.is_text(LabelKind.MANUAL.value)
    begun = np.logical_or.reduceat((seq == 1)[order], starts)
    valued = np.minimum.reduceat(np.where(has_value, known_at.microseconds, NEVER)[order], starts)
    otherwise = np.logical_or.reduceat((has_value & ~is_manual)[order], starts)
    by_coming = np.argsort(np.minimum.reduceat(order, starts), kind="stable")
    places = order[starts][by_coming]
    first_valued = np.where(begun & (valued != NEVER), valued, np.iinfo(np.int64).min)[by_coming]
    marked = otherwise[by_coming] & is_manual[places]
    return _Newest(places, TimeColumn(first_valued), ValueColumn.of([True if mark else ABSENT for mark in marked]))


def _joined(columns: list[AnyColumn]) -> AnyColumn:
    kind: Any = type(columns[0])
    found: AnyColumn = kind.joined(columns)
    return found


def _feature(name: str) -> str:
    return f"features.{name}"
