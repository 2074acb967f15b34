"""The profile of one column of a set of rows."""

from collections.abc import Mapping
from typing import Self

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from hindsight.config.features import FeatureType
from hindsight.profiles.categories import CategorySketch
from hindsight.profiles.distribution import Distribution
from hindsight.profiles.numbers import FEATURE_K, NumberSketch


class ColumnProfile(Struct, frozen=True, kw_only=True, eq=False, array_like=True):
    """The profile of one column of a set of rows.

    ``missing`` rows have no value, ``invalid`` ones a value of another type, NaN or an infinity. ``below`` and
    ``above`` count the present numbers outside the declared range. A numeric column has ``numbers``, another one
    ``categories``, by canonical text. A row counts as often as its weight, at most ``heaviest``.
    """

    kind: FeatureType
    rows: int
    missing: int
    invalid: int
    below: int = 0
    above: int = 0
    numbers: NumberSketch | None = None
    categories: CategorySketch | None = None
    heaviest: int = 1

    def __post_init__(self) -> None:
        is_numeric, has_numbers = self.kind is FeatureType.NUMERIC, self.numbers is not None
        if has_numbers is not is_numeric or has_numbers is (self.categories is not None):
            raise ValueError(f"a {self.kind.value} column lacks what describes it")

    @classmethod
    def empty(cls, kind: FeatureType, k: int = FEATURE_K) -> Self:
        """Build the profile of a column without rows."""
        if kind is FeatureType.NUMERIC:
            return cls(kind=kind, rows=0, missing=0, invalid=0, numbers=NumberSketch.of(np.array([]), k))
        return cls(kind=kind, rows=0, missing=0, invalid=0, categories=CategorySketch.of({}))

    @property
    def present(self) -> int:
        """The number of rows with a usable value."""
        return self.rows - self.missing - self.invalid

    @property
    def effective_rows(self) -> float:
        """The number of rows of the largest weight that have as much weight.

        A mean of values from 0 to 1, weighted by these rows, deviates no farther than one of so many rows of equal
        weight, as far into the tail as Chernoff's bound goes (Hoeffding, 1963, theorem 1: weights over the largest are
        factors from 0 to 1). Kish's number, which is larger, promises that only where weights say nothing of values.
        """
        return self.rows / self.heaviest

    @property
    def distribution(self) -> Distribution:
        """The distribution of the usable numbers in effective rows; of none for a column that is not numeric."""
        return Distribution.exact(np.array([])) if self.numbers is None else self.numbers.distribution(self.heaviest)

    @property
    def counts(self) -> Mapping[str, float]:
        """The counts of the usable values by text, the most frequent first; none for a numeric column."""
        return {} if self.categories is None else self.categories.counts()


def merge_columns(columns: list[ColumnProfile]) -> ColumnProfile:
    """Merge the profiles of one or more columns of one name.

    Where a column changed its type, the type of most rows is kept, and values of the others count as of another type.
    """
    kind = columns[0].kind
    if any(column.kind is not kind for column in columns):
        kind = _commonest_kind(columns)
        columns = [column if column.kind is kind else _as_invalid(column, kind) for column in columns]
    numbers = [column.numbers for column in columns if column.numbers is not None]
    categories = [column.categories for column in columns if column.categories is not None]
    return ColumnProfile(
        kind=kind,
        rows=sum(column.rows for column in columns),
        missing=sum(column.missing for column in columns),
        invalid=sum(column.invalid for column in columns),
        below=sum(column.below for column in columns),
        above=sum(column.above for column in columns),
        heaviest=max(column.heaviest for column in columns),
        numbers=NumberSketch.merged(numbers) if kind is FeatureType.NUMERIC else None,
        categories=CategorySketch.merged(categories) if kind is not FeatureType.NUMERIC else None,
    )


def _commonest_kind(columns: list[ColumnProfile]) -> FeatureType:
    rows = {kind: sum(column.rows for column in columns if column.kind is kind) for kind in FeatureType}
    return max(rows, key=lambda kind: (rows[kind], kind.value))


def _as_invalid(column: ColumnProfile, kind: FeatureType) -> ColumnProfile:
    invalid = column.rows - column.missing
    return replace(
        ColumnProfile.empty(kind), rows=column.rows, missing=column.missing, invalid=invalid, heaviest=column.heaviest
    )
