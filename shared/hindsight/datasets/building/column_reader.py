"""The column reader: all that a dataset holds of its rows, a few columns at a time, file by file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Task
from hindsight.datasets.building.selection import RowSelection, at
from hindsight.datasets.formats.columns import MISSING, Categories, Codes, Column, Floats
from hindsight.datasets.formats.record_keys import Names, Places
from hindsight.datasets.part import Array, pack_json
from hindsight.datasets.records.record_scan import RecordScan, renamed

TypedFeature = tuple[str, FeatureType]

FIRST_ROWS = 10
_NUMBERS = ("rules_revision", "selection_probability", "propensity", "version_share", "weight")
# Of the columns that are in memory at one time; all others are on disk, before or behind them.
_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, eq=False)
class ColumnReader:
    """The columns of a row selection, read from the files that hold its rows."""

    scans: Sequence[RecordScan]
    kept: RowSelection

    def columns(self) -> dict[str, Array | Categories]:
        """Read all columns but the features, the rows to train on first."""
        keys, numbers = self.kept.keys, self._numbers(_NUMBERS)
        return {
            "label": self.kept.labels,
            "kind": self._texts("kind"),
            "prediction_id": keys.names,
            "entity_id": self._entities(),
            "seq": keys.seq,
            "occurred_at": keys.occurred,
            "outcome_due_at": keys.due,
            "known_at": keys.known,
            "rules_revision": numbers["rules_revision"].astype(np.int32),
            "selection_probability": numbers["selection_probability"],
            "propensity": numbers["propensity"],
            "version_share": numbers["version_share"],
            "weight": numbers["weight"],
            "labelled_without_review": self.kept.otherwise,
        }

    def answers(self, task: Task) -> dict[str, Array | Categories]:
        """Read what was predicted, and how far each label is: columns that training has no use for."""
        return {
            "model_version": self._texts("model_version"),
            "decision": self._decisions("decision", task),
            "model_decision": self._decisions("coalesce(model_decision, decision)", task),
            "score": self._numbers(["score"])["score"],
            "status": self._texts("status"),
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

    def _numbers(self, names: Sequence[str]) -> dict[str, Floats]:
        numbers = {name: np.empty(len(self.kept.keys.seq)) for name in names}
        for scan, places in self._by_file():
            for name, found in scan.numbers(names).items():
                numbers[name][places] = found[self.kept.keys.row[places]]
        return numbers

    def _texts(self, name: str) -> Categories:
        texts = _Texts.of(len(self.kept.keys.seq))
        for scan, places in self._by_file():
            texts.put(places, scan.categories(name).at(self.kept.keys.row[places]))
        return texts.column()

    def _decisions(self, expression: str, task: Task) -> Column:
        """Read decisions: numbers of a regression, else any value as text."""
        kind = task if task is Task.REGRESSION else Task.MULTICLASS
        numbers, texts = np.empty(len(self.kept.keys.seq)), _Texts.of(len(self.kept.keys.seq))
        for scan, places in self._by_file():
            found = at(scan.values(expression, kind), self.kept.keys.row[places])
            if isinstance(found, Categories):
                texts.put(places, found)
            else:
                numbers[places] = found
        return numbers if task is Task.REGRESSION else texts.column()

    def _entities(self) -> Names:
        """Read the identifiers of entities, empty where there is none."""
        pieces = [
            (places, scan.identifiers("entity_id")[self.kept.keys.row[places]]) for scan, places in self._by_file()
        ]
        width = max((names.dtype.itemsize for _, names in pieces), default=1)
        joined = np.zeros(len(self.kept.keys.seq), dtype=f"S{width}")
        for places, names in pieces:
            joined[places] = names
        return joined

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
