"""A column of mappings from names to numbers, such as the probabilities of classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hindsight.label_records.columns import ABSENT, Floats, Integers, ValueColumn, Values, Vocabulary


@dataclass(frozen=True, slots=True)
class MappingColumn:
    """Numbers by name, the same names in most rows: eight bytes a number."""

    names: ValueColumn
    starts: Integers
    numbers: Floats

    @classmethod
    def of(cls, values: Sequence[Any], vocabulary: Vocabulary | None = None) -> "MappingColumn":
        """Encode mappings; other values become None, and values in them that are no numbers NaN."""
        given = [value if isinstance(value, Mapping) else None for value in values]
        names = ValueColumn.of([None if value is None else list(value) for value in given], vocabulary)
        counts = [0 if value is None else len(value) for value in given]
        numbers = ValueColumn.of([number for value in given if value is not None for number in value.values()]).numbers
        return cls(names, np.cumsum([0, *counts[:-1]], dtype=np.int64)[: len(given)], numbers)

    @classmethod
    def joined(cls, columns: Sequence["MappingColumn"]) -> "MappingColumn":
        """Join columns of one vocabulary."""
        if not columns:
            return cls.of(())
        offsets = np.cumsum([0, *(len(column.numbers) for column in columns[:-1])])
        return cls(
            ValueColumn.joined([column.names for column in columns]),
            np.concatenate([column.starts + offset for column, offset in zip(columns, offsets, strict=True)]),
            np.concatenate([column.numbers for column in columns]),
        )

    def __len__(self) -> int:
        return len(self.names)

    def at(self, places: Values) -> "MappingColumn":
        """Pick some of the mappings, by their indices or a mask."""
        return MappingColumn(self.names.at(places), self.starts[places], self.numbers)

    def moved(self, vocabulary: Vocabulary) -> "MappingColumn":
        """Put the names that these mappings need into another vocabulary, and leave out the numbers of others."""
        lengths = self.names.mapped(lambda kinds: np.array([0 if kind is None else len(kind) for kind in kinds]))
        counts = lengths.astype(np.int64)
        starts = np.cumsum(counts) - counts
        places = np.repeat(self.starts - starts, counts) + np.arange(counts.sum())
        return MappingColumn(self.names.moved(vocabulary), starts, self.numbers[places])

    def value(self, place: int) -> Any:
        """Give one mapping back, ABSENT where there is none."""
        names = self.names.value(place)
        if names is None:
            return ABSENT
        start = int(self.starts[place])
        return dict(zip(names, self.numbers[start : start + len(names)].tolist(), strict=True))

    def table(self) -> tuple[Floats | None, tuple[str, ...]]:
        """Make one table of shape (n, names), NaN in rows without a mapping and 0 where one lacks a name."""
        kinds, codes = self.names.distinct()
        every = tuple(sorted({name for names in kinds if names is not None for name in names}))
        if not every:
            return None, ()
        table = np.full((len(self), len(every)), np.nan)
        for code, names in enumerate(kinds):
            if names is None:
                continue
            places = np.flatnonzero(codes == code)
            table[places] = 0.0
            for step, name in enumerate(names):
                table[places, every.index(name)] = np.nan_to_num(self.numbers[self.starts[places] + step])
        return table, every
