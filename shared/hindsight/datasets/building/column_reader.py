"""The column reader: all that a dataset holds of its rows, a few columns at a time, file by file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hindsight.config.features import FeatureType
from hindsight.datasets.building.selection import RowSelection
from hindsight.datasets.formats.columns import MISSING, Categories, Codes, Column, Floats
from hindsight.datasets.formats.record_keys import Names, Places
from hindsight.datasets.part import Array, pack_json
from hindsight.datasets.records.record_scan import RecordScan, renamed

TypedFeature = tuple[str, FeatureType]

FIRST_ROWS = 10
_NUMBERS = ("rules_revision", "selection_probability", "propensity")
# Of the columns that are in memory at one time; all others are on disk, before or behind them.
_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, eq=False)
class ColumnReader:
    """The columns of a row selection, read from the files that hold its rows."""

    scans: Sequence[RecordScan]
    kept: RowSelection

    def columns(self) -> dict[str, Array | Categories]:
        """Read all columns but the features, the rows to train on first."""
        count, keys = len(self.kept.keys.seq), self.kept.keys
        kinds, numbers = _Texts.of(count), {name: np.empty(count) for name in _NUMBERS}
        entities: list[tuple[Places, Names]] = []
        for scan, places in self._by_file():
            rows = keys.row[places]
            for name, found in scan.numbers(_NUMBERS).items():
                numbers[name][places] = found[rows]
            kinds.put(places, scan.categories("kind").at(rows))
            entities.append((places, scan.identifiers("entity_id")[rows]))
        return {
            "label": self.kept.labels,
            "kind": kinds.column(),
            "prediction_id": keys.names,
            "entity_id": _joined(entities, count),
            "seq": keys.seq,
            "occurred_at": keys.occurred,
            "outcome_due_at": keys.due,
            "known_at": keys.known,
            "rules_revision": numbers["rules_revision"].astype(np.int32),
            "selection_probability": numbers["selection_probability"],
            "propensity": numbers["propensity"],
            "labelled_without_review": self.kept.otherwise,
        }

    def features(self, features: Sequence[TypedFeature]) -> Iterator[tuple[TypedFeature, Column]]:
        """Read features by column, those to train on first; a column is good until the next is asked for."""
        count = len(self.kept.keys.seq)
        together = max(1, _MAX_BYTES // (8 * max(count, 1)))
        for first in range(0, len(features), together):
            yield from self._together(features[first : first + together], count)

    def unfit(self, declared: Mapping[str, FeatureType]) -> dict[str, int]:
        """Count by feature the rows whose value is of another type; those without any such row are left out."""
        counts = dict.fromkeys(declared, 0)
        for scan, places in self._by_file():
            for name, count in scan.unfit(declared, self.kept.keys.row[places]).items():
                counts[name] += count
        return {name: count for name, count in counts.items() if count}

    def first_features(self) -> dict[str, Array]:
        """Read by part the features of its first rows as they were logged."""
        train, row = self.kept.train, self.kept.keys.row
        wanted = [*range(min(train, FIRST_ROWS)), *range(train, train + FIRST_ROWS)]
        found: dict[int, Mapping[str, Any]] = {}
        for scan, places in self._by_file():
            if shown := places[np.isin(places, wanted)].tolist():
                found |= dict(zip(shown, scan.logged_features(row[shown].tolist()), strict=True))
        ordered = sorted(found)
        return {
            "train": pack_json([found[place] for place in ordered if place < train]),
            "holdout": pack_json([found[place] for place in ordered if place >= train]),
        }

    def _together(self, features: Sequence[TypedFeature], count: int) -> Iterator[tuple[TypedFeature, Column]]:
        # Every row is in one file, so that arrays may start as they are.
        texts = {found: _Texts.of(count) for found in features if found[1] is FeatureType.CATEGORICAL}
        numbers: dict[TypedFeature, Floats] = {found: np.empty(count) for found in features if found not in texts}
        for scan, places in self._by_file():
            for found, column in scan.features(features, self.kept.keys.row[places]):
                if isinstance(column, Categories):
                    texts[found].put(places, column)
                else:
                    numbers[found][places] = column
        for found in features:
            yield found, texts[found].column() if found in texts else numbers[found]

    def _by_file(self) -> Iterator[tuple[RecordScan, Places]]:
        """Find the files that hold rows kept, with the positions of those."""
        order = self.kept.by_file
        begins = np.searchsorted(self.kept.keys.file[order], np.arange(len(self.scans) + 1))
        for number, scan in enumerate(self.scans):
            if begins[number] < begins[number + 1]:
                yield scan, order[begins[number] : begins[number + 1]]


@dataclass(slots=True)
class _Texts:
    """A column of text that grows by files, each with its own vocabulary."""

    codes: Codes
    places: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, count: int) -> "_Texts":
        return cls(np.empty(count, dtype=np.int32))

    def put(self, rows: Places, found: Categories) -> None:
        """Add the texts of some rows."""
        known = [self.places.setdefault(text, len(self.places)) for text in found.vocabulary]
        self.codes[rows] = np.array([*known, MISSING], dtype=np.int32)[found.codes]

    def column(self) -> Categories:
        """Build the column; its vocabulary is sorted and has only the texts that occur."""
        return renamed(self.codes, list(self.places))


def _joined(pieces: Sequence[tuple[Places, Names]], count: int) -> Names:
    """Join the identifiers of all rows, empty where there is none."""
    joined = np.zeros(count, dtype=f"S{max((names.dtype.itemsize for _, names in pieces), default=1)}")
    for places, names in pieces:
        joined[places] = names
    return joined
