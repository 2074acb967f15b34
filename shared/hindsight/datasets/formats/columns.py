"""Features to columns: the one way there is, for datasets, for training and for serving."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hindsight.config.features import FeatureType
from hindsight.config.labels import canonical_text

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Texts = npt.NDArray[np.object_]

# Squares of the largest doubles overflow in scaling; no quantity needs numbers beyond this.
_LARGEST = 1e100
MISSING = -1


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """n texts as codes into a sorted vocabulary, ``MISSING`` where there is none; shape (n,)."""

    codes: Codes
    vocabulary: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> "Categories":
        """Encode texts as codes into a vocabulary of those that occur.

        >>> found = Categories.of(["b", None, "a"])
        >>> found.codes.tolist(), found.vocabulary
        ([1, -1, 0], ('a', 'b'))
        """
        vocabulary = tuple(sorted({text for text in texts if text is not None}))
        places: dict[str | None, int] = {text: place for place, text in enumerate(vocabulary)}
        return cls(np.array([places.get(text, MISSING) for text in texts], dtype=np.int32), vocabulary)

    def texts(self) -> Texts:
        """List the texts, None where there is none."""
        return np.array([*self.vocabulary, None], dtype=object)[self.codes]

    def at(self, places: npt.NDArray[Any] | slice) -> "Categories":
        """Select some of the texts, the vocabulary narrowed to those that occur."""
        codes = self.codes[places]
        used = np.zeros(len(self.vocabulary) + 1, dtype=bool)
        used[codes] = True  # MISSING is the last place
        kept = used[:-1]
        if kept.all():
            return Categories(codes, self.vocabulary)
        renamed = np.append(np.cumsum(kept, dtype=np.int32) - 1, MISSING).astype(np.int32)
        return Categories(renamed[codes], tuple(name for name, keep in zip(self.vocabulary, kept, strict=True) if keep))


Column = Floats | Categories


def to_columns(rows: Sequence[Mapping[str, Any]], features: Mapping[str, FeatureType]) -> dict[str, Column]:
    """Convert rows of features to typed columns, in the order of ``features``, each of shape (rows,).

    Numeric and boolean columns are floats (NaN where missing, booleans 0 and 1), categorical ones canonical text.
    What does not fit its column's type counts as missing; undeclared features are left out.

    >>> kinds = {"hour": FeatureType.CATEGORICAL, "warm": FeatureType.BOOLEAN}
    >>> columns = to_columns([{"hour": 8, "warm": True}], kinds)
    >>> columns["hour"].texts().tolist(), columns["warm"].tolist()
    (['8'], [1.0])
    """
    columns: dict[str, Column] = {}
    for name, kind in features.items():
        values = [row.get(name) for row in rows]
        columns[name] = Categories.of(to_texts(values)) if kind is FeatureType.CATEGORICAL else TO_FLOATS[kind](values)
    return columns


def to_numbers(values: Sequence[Any]) -> Floats:
    """Convert numeric features to floats, NaN where one is no number, bounded where squares would overflow.

    >>> to_numbers([1, 2.5, True, "3", None, 1e300]).tolist()
    [1.0, 2.5, nan, nan, nan, 1e+100]
    """
    column = np.array([_number(value) for value in values], dtype=np.float64)
    return np.clip(column, -_LARGEST, _LARGEST)


def to_flags(values: Sequence[Any]) -> Floats:
    """Convert boolean features to 1.0 and 0.0, NaN where one is neither true nor false.

    >>> to_flags([True, False, 1, None]).tolist()
    [1.0, 0.0, nan, nan]
    """
    return np.array([float(value) if isinstance(value, bool) else np.nan for value in values], dtype=np.float64)


def to_texts(values: Iterable[Any]) -> list[str | None]:
    """Convert categorical features to canonical text, None where missing.

    >>> to_texts([8, "8", 8.0, True, None])
    ['8', '8', '8', 'true', None]
    """
    return [None if value is None else canonical_text(value) for value in values]


TO_FLOATS = {FeatureType.NUMERIC: to_numbers, FeatureType.BOOLEAN: to_flags}


def fits(value: Any, kind: FeatureType) -> bool:
    """Decide whether a given value can be read as one of a type; those that cannot count as missing.

    >>> fits("8", FeatureType.NUMERIC), fits("8", FeatureType.CATEGORICAL)
    (False, True)
    """
    if kind is FeatureType.CATEGORICAL:
        return True
    return isinstance(value, bool) if kind is FeatureType.BOOLEAN else not np.isnan(_number(value))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan
