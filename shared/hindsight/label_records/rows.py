"""Label records of many predictions in columns, and of each prediction the newest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, cast, overload

import numpy as np

from hindsight.config.labels import LabelKind
from hindsight.core.times import microseconds
from hindsight.entities.label_row import LabelFields
from hindsight.label_records.columns import (
    ABSENT,
    Integers,
    Mask,
    TimeColumn,
    ValueColumn,
    Values,
    Vocabulary,
)
from hindsight.label_records.hash_column import HashColumn
from hindsight.label_records.mapping_column import MappingColumn
from hindsight.label_records.sampling import WHOLE, Hashes, is_sampled, prediction_hash

LABELLED_WITHOUT_REVIEW = "labelled_without_review"
FIRST_VALUED_AT = "first_valued_at"
_TIMES = frozenset({"known_at", "occurred_at", "outcome_due_at", FIRST_VALUED_AT})
_MAPPINGS = frozenset({"probabilities"})
ENTITY = "entity_id"
NEVER = np.iinfo(np.int64).max

AnyColumn = ValueColumn | TimeColumn | MappingColumn | HashColumn


@dataclass(frozen=True, eq=False)
class LabelRows(Sequence[LabelFields]):  # noqa: PLW1641  it is as mutable as its arrays
    """Rows that are decoded when they are read; ``fields`` and ``features`` hold their values by name.

    Some of the rows are a view of them all, ``places`` of the columns: nothing is copied before it is read.
    A row does not know its ``prediction_id`` where it was read without: ``hashes`` are two of it. Of its entity it
    knows a hash alone: entities are distinguished, never named, and as texts they took more than all else.
    """

    fields: Mapping[str, AnyColumn]
    features: Mapping[str, ValueColumn]
    hashes: Hashes
    places: Integers

    @classmethod
    def of(cls, rows: Iterable[LabelFields]) -> "LabelRows":
        """Encode rows with all their fields; encoded ones stay as they are."""
        if isinstance(rows, LabelRows):
            return rows
        rows = list(rows)
        shadowed = [flat(row) for row in rows]
        names = dict.fromkeys(name for row in shadowed for name in row if name not in {"features", "shadow"})
        fields = {name: encoded(name, [row.get(name, ABSENT) for row in shadowed], None) for name in (*names, *SHADOW)}
        given = dict.fromkeys(name for row in rows for name in row.get("features") or {})
        features = {
            name: ValueColumn.of([(row.get("features") or {}).get(name, ABSENT) for row in rows]) for name in given
        }
        hashes = np.array([hashes_of(str(row.get("prediction_id", ""))) for row in rows], dtype=np.uint64)
        return cls(fields, features, hashes.reshape(len(rows), 2), np.arange(len(rows)))

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, place: int) -> LabelFields: ...

    @overload
    def __getitem__(self, place: slice) -> "LabelRows": ...

    def __getitem__(self, place: int | slice) -> "LabelFields | LabelRows":
        if isinstance(place, slice):
            return replace(self, places=self.places[place])
        at = int(self.places[place])
        row = {name: value for name, column in self.fields.items() if (value := column.value(at)) is not ABSENT}
        shadow = {name: row.pop(flat) for flat, name in SHADOW.items() if flat in row}
        if shadow.get("version") is not None:
            row["shadow"] = {name: value for name, value in shadow.items() if value is not None}
        given = ((name, column.value(at)) for name, column in self.features.items())
        row["features"] = {name: value for name, value in given if value is not ABSENT}
        return cast(LabelFields, row)

    def __iter__(self) -> Iterator[LabelFields]:
        return (self[place] for place in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def at(self, places: Values) -> "LabelRows":
        """Pick some of the rows, by their indices or a mask."""
        return replace(self, places=self.places[places])

    def values(self, name: str) -> ValueColumn:
        """Select a field's values; all are absent for a field that no row has."""
        column = self.fields.get(name)
        return column.at(self.places) if isinstance(column, ValueColumn) else ValueColumn.of([ABSENT] * len(self))

    def feature(self, name: str) -> ValueColumn:
        """Select a feature's values."""
        column = self.features.get(name)
        return ValueColumn.of([ABSENT] * len(self)) if column is None else column.at(self.places)

    def times(self, name: str) -> TimeColumn:
        """Select a field's moments; none is given for a field that no row has."""
        column = self.fields.get(name)
        return column.at(self.places) if isinstance(column, TimeColumn) else TimeColumn.of([None] * len(self))

    def mappings(self, name: str) -> MappingColumn:
        """Select a field's mappings; all are absent for a field that no row has."""
        column = self.fields.get(name)
        return column.at(self.places) if isinstance(column, MappingColumn) else MappingColumn.of([None] * len(self))

    @property
    def entities(self) -> HashColumn:
        """The hashes of the entities; none is given where the field was not read."""
        column = self.fields.get(ENTITY)
        if isinstance(column, HashColumn):
            return column.at(self.places)
        return HashColumn(np.zeros(len(self), dtype=np.uint64))

    def sampled(self, share: float) -> "LabelRows":
        """Pick the rows whose prediction is of the sample of a share."""
        return self if share == WHOLE else self.at(is_sampled(self.thinning, share))

    def sampled_by_entity(self, share: float) -> "LabelRows":
        """Pick the rows whose entity is of the sample of a share; a row without an entity goes by its prediction."""
        return self if share == WHOLE else self.at(is_sampled(entity_keys(self.entities, self.thinning), share))

    @property
    def thinning(self) -> Hashes:
        """Hashes of the ids, that rows are thinned by."""
        found: Hashes = self.hashes[self.places, 1]
        return found

    @property
    def has_value(self) -> Mask:
        """Mask of the labels that have a value."""
        return self.values("value").is_given

    @property
    def counts_from(self) -> Integers:
        """The moments at which labels came to count, in microseconds: due, and valued for the first time; or NEVER."""
        valued = self.times(FIRST_VALUED_AT)
        counts = np.maximum(self.times("outcome_due_at").microseconds, valued.microseconds)
        return np.where(valued.is_given, counts, NEVER)

    def came_to_count(self, after: datetime, until: datetime) -> Mask:
        """Find the labels that came to count in ``(after, until]``; a later amendment does not count again."""
        counts = self.counts_from
        return (microseconds(after) < counts) & (counts <= microseconds(until))

    def by_maturity(self) -> "LabelRows":
        """Sort labels by the moment at which they came to count, those of one moment as if shuffled.

        Ids often follow the order of events: a run of errors in one delivery of labels would look like a degradation.
        """
        return self.at(np.lexsort((self.hashes[self.places, 0], self.counts_from)))

    def is_reviewed_alone(self) -> Mask:
        """Find the labels that only a review gave."""
        return self.values("kind").is_text(LabelKind.MANUAL.value) & ~self.values(LABELLED_WITHOUT_REVIEW).is_true

    def as_shadow(self) -> "LabelRows":
        """Put the shadow predictions of a challenger in the place of the champion's."""
        whole = replace(self, places=np.arange(len(self.hashes)))
        answers: dict[str, AnyColumn] = {
            "score": whole.values("shadow.score"),
            "decision": whole.values("shadow.decision"),
            "probabilities": whole.mappings("shadow.probabilities"),
        }
        return replace(self, fields={**self.fields, **answers})


SHADOW = {
    "shadow.version": "version",
    "shadow.score": "score",
    "shadow.decision": "decision",
    "shadow.probabilities": "probabilities",
}


def hashes_of(prediction_id: str) -> tuple[int, int]:
    """Hash an id twice: to shuffle by, and to thin by. Together they identify a prediction."""
    encoded = prediction_id.encode()
    shuffled = blake2b(encoded, digest_size=8).digest()
    return int.from_bytes(shuffled, "big"), prediction_hash(prediction_id)


def entity_keys(entities: HashColumn, thinning: Hashes) -> Hashes:
    """Choose the hash that samples a row where entities count: the entity's, without one the prediction's."""
    found: Hashes = np.where(entities.is_given, entities.hashes, thinning)
    return found


def encoded(name: str, values: list[Any], vocabulary: Vocabulary | None) -> AnyColumn:
    """Encode the values of a field in the kind of column that its name asks for."""
    if name in _TIMES:
        return TimeColumn.of([None if value is ABSENT else value for value in values])
    if name == ENTITY:
        return HashColumn.of(values)
    if name.rpartition(".")[2] in _MAPPINGS:
        return MappingColumn.of(values, vocabulary)
    return ValueColumn.of(values, vocabulary)


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a challenger's shadow prediction beside a row's own fields, which are those of the version that answered.

    The decision is the version's own where another one was taken to explore, and the propensity that of the decision:
    without the chance that the version answered, in a canary.
    """
    found, shadow = dict(row), row.get("shadow")
    if isinstance(shadow, Mapping):
        found |= {field: shadow[name] for field, name in SHADOW.items() if name in shadow}
    if found.pop("model_decision", None) is not None:
        found["decision"] = row["model_decision"]
    share, propensity = found.pop("version_share", None), found.get("propensity")
    if share and propensity is not None:
        found["propensity"] = min(1.0, propensity / share)
    return found
