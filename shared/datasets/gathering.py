"""All that a dataset holds of the rows that are kept, gathered file by file into arrays of their final size."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shared.configuration.features import FeatureType
from shared.datasets.columns import MISSING, Categories, Codes, Column, Floats
from shared.datasets.part import Array, column_name, pack, pack_json
from shared.datasets.record_keys import Names, Places
from shared.datasets.record_scan import RecordScan, renamed, to_bytes
from shared.datasets.record_scan import Rows as FileRows
from shared.datasets.selection import Selection

TypedFeature = tuple[str, FeatureType]

FIRST_ROWS = 10
_NUMBERS = ("selection_probability", "propensity")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rows:
    """The rows of a dataset by column, those to train on first.

    ``first_features`` are those of the first rows of either part as they were logged; ``unfit`` counts, by declared
    feature, the rows whose value is of another type.
    """

    columns: Mapping[str, Column]
    arrays: Mapping[str, Array]
    train: int
    first_features: Mapping[str, Sequence[Mapping[str, Any]]]
    unfit: Mapping[str, int]

    def place(self, part: str) -> slice:
        """Return where the rows of a part are."""
        return slice(0, self.train) if part == "train" else slice(self.train, None)

    def column(self, name: str, part: str) -> Column:
        """Return a column of a part; its vocabulary is that of both parts."""
        column, place = self.columns[name], self.place(part)
        return Categories(column.codes[place], column.vocabulary) if isinstance(column, Categories) else column[place]

    def part(self, part: str) -> dict[str, Array]:
        """Return a part as it is stored."""
        arrays = {name: _narrowed(array[self.place(part)]) for name, array in self.arrays.items()}
        for name in self.columns:
            arrays |= pack(name, self.column(name, part))
        return arrays | {"first_features": pack_json(list(self.first_features[part]))}


def gather(
    scans: Sequence[RecordScan],
    kept: Selection,
    features: Sequence[TypedFeature],
    declared: Mapping[str, FeatureType],
) -> Rows:
    """Return the rows of a selection with all their columns."""
    keys = kept.keys
    filling = _Filling.of(len(keys.seq), features)
    unfit = dict.fromkeys(declared, 0)
    shown_first = [*range(min(kept.train, FIRST_ROWS)), *range(kept.train, kept.train + FIRST_ROWS)]
    first: dict[int, Mapping[str, Any]] = {}
    for scan, places in _by_file(scans, kept):
        rows = keys.row[places]
        filling.fill(scan, places, rows, features)
        for name, count in scan.unfit(declared, rows).items():
            unfit[name] += count
        shown = places[np.isin(places, shown_first)].tolist()
        first |= dict(zip(shown, scan.logged_features(keys.row[shown].tolist()), strict=True)) if shown else {}
    return Rows(
        columns={"label": kept.labels, **filling.columns()},
        arrays={
            "prediction_id": keys.names,
            "entity_id": filling.entity_ids(),
            "seq": keys.seq,
            "occurred_at": keys.occurred,
            "outcome_due_at": keys.due,
            "known_at": keys.known,
            "rules_revision": filling.revisions,
            "labelled_otherwise": kept.otherwise,
        },
        train=kept.train,
        first_features={
            "train": [first[place] for place in sorted(first) if place < kept.train],
            "holdout": [first[place] for place in sorted(first) if place >= kept.train],
        },
        unfit=unfit,
    )


@dataclass(slots=True)
class _Texts:
    """A column of text that grows by files, each with a vocabulary of its own."""

    codes: Codes
    places: dict[str, int] = field(default_factory=dict)

    def put(self, rows: Places, found: Categories) -> None:
        known = [self.places.setdefault(text, len(self.places)) for text in found.vocabulary]
        self.codes[rows] = np.array([*known, MISSING], dtype=np.int32)[found.codes]


@dataclass(slots=True)
class _Filling:
    """Columns of their final size, filled file by file; every row is in one file, so that they start as they are."""

    revisions: Array
    numbers: dict[str, Floats]
    texts: dict[str, _Texts]
    entities: list[tuple[Places, Names]] = field(default_factory=list)

    @classmethod
    def of(cls, rows: int, features: Sequence[TypedFeature]) -> "_Filling":
        texts = [column_name(name, kind) for name, kind in features if kind is FeatureType.CATEGORICAL]
        numbers = [column_name(name, kind) for name, kind in features if kind is not FeatureType.CATEGORICAL]
        return cls(
            revisions=np.empty(rows, dtype=np.int32),
            numbers={name: np.empty(rows) for name in (*_NUMBERS, *numbers)},
            texts={name: _Texts(np.empty(rows, dtype=np.int32)) for name in ("source", *texts)},
        )

    def fill(self, scan: RecordScan, places: Places, rows: FileRows, features: Sequence[TypedFeature]) -> None:
        """Take some rows of a file, each to its place."""
        for name in _NUMBERS:
            self.numbers[name][places] = scan.floats(name)[rows]
        self.texts["source"].put(places, scan.categories("source").at(rows))
        self.revisions[places] = scan.integers("rules_revision")[rows]
        self.entities.append((places, to_bytes(scan.texts("entity_id")[rows])))
        for (name, kind), column in scan.features(features, rows):
            if isinstance(column, Categories):
                self.texts[column_name(name, kind)].put(places, column)
            else:
                self.numbers[column_name(name, kind)][places] = column

    def columns(self) -> dict[str, Column]:
        """Return the columns; vocabularies are sorted and have only what there is."""
        return {**self.numbers, **{name: renamed(held.codes, list(held.places)) for name, held in self.texts.items()}}

    def entity_ids(self) -> Names:
        """Return the entities of all rows, empty where there is none."""
        width = max((names.dtype.itemsize for _, names in self.entities), default=1)
        joined = np.zeros(len(self.revisions), dtype=f"S{width}")
        for places, names in self.entities:
            joined[places] = names
        return joined


def _by_file(scans: Sequence[RecordScan], kept: Selection) -> Iterator[tuple[RecordScan, Places]]:
    """Yield the files that hold rows kept, with the places of those."""
    order = np.argsort(kept.keys.file, kind="stable")
    begins = np.searchsorted(kept.keys.file[order], np.arange(len(scans) + 1))
    for number, scan in enumerate(scans):
        if begins[number] < begins[number + 1]:
            yield scan, order[begins[number] : begins[number + 1]]


def _narrowed(array: Array) -> Array:
    """Return identifiers no wider than the widest of them; all else as it is."""
    if array.dtype.kind != "S":
        return array
    width = int(np.strings.str_len(array).max(initial=1))
    return array.astype(f"S{max(width, 1)}", copy=False)
