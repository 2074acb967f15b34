"""Profiles of single columns, from the values of rows or from arrays.

Values of another type, NaN and infinities are counted as invalid, never fatal. An array has no null: there NaN stands
for a missing value.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hindsight.config.features import Feature, FeatureType
from hindsight.config.labels import canonical_text
from hindsight.profiles.categories import CategorySketch
from hindsight.profiles.column import ColumnProfile
from hindsight.profiles.distribution import Floats
from hindsight.profiles.numbers import FEATURE_K, NumberSketch, Weights

Values = Sequence[Any] | npt.NDArray[Any]

_ONLY_NUMBERS = {int, float, type(None)}
_ONLY_TEXTS = {str, type(None)}


def profile_column(values: Values, feature: Feature, weights: Weights | None = None) -> ColumnProfile:
    """Profile a feature's values; each counts as often as its weight, a whole number, once by default.

    >>> profile_column([1.5, None, "high"], Feature(type=FeatureType.NUMERIC, max=1.0)).above
    1
    """
    if feature.type is FeatureType.NUMERIC:
        return profile_numbers(values, low=feature.min, high=feature.max, weights=weights)
    return profile_texts(values, feature.type, weights)


def profile_numbers(
    values: Values,
    *,
    low: float | None = None,
    high: float | None = None,
    k: int = FEATURE_K,
    weights: Weights | None = None,
) -> ColumnProfile:
    """Profile numbers; ``low`` and ``high`` are the range they are expected in."""
    numbers, missing = as_numbers(values)
    rows = len(numbers)
    if weights is not None:
        rows, missing = int(weights.sum()), int(weights[_is_missing(values)].sum())
    finite, of_finite = _finite(numbers, weights)
    return ColumnProfile(
        kind=FeatureType.NUMERIC,
        rows=rows,
        missing=missing,
        invalid=rows - missing - (len(finite) if of_finite is None else int(of_finite.sum())),
        below=0 if low is None else _weight_of(finite < low, of_finite),
        above=0 if high is None else _weight_of(finite > high, of_finite),
        numbers=NumberSketch.of(finite, k, of_finite),
        heaviest=heaviest_of(weights),
    )


def profile_texts(
    values: Values, kind: FeatureType = FeatureType.CATEGORICAL, weights: Weights | None = None
) -> ColumnProfile:
    """Profile categories or booleans."""
    counted, missing, invalid = _count(values, kind) if weights is None else _weigh(values, kind, weights)
    return ColumnProfile(
        kind=kind,
        rows=len(values) if weights is None else int(weights.sum()),
        missing=missing,
        invalid=invalid,
        categories=CategorySketch.of(counted),
        heaviest=heaviest_of(weights),
    )


def heaviest_of(weights: Weights | None) -> int:
    """Find the largest weight of a set of rows, 1 of none."""
    return 1 if weights is None else int(weights.max(initial=1))


def as_numbers(values: Values) -> tuple[Floats, int]:
    """Convert values to numbers, shape (rows,), NaN where there is none, and count the missing ones."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        numbers = values.astype(np.float64, copy=False)
        return numbers, int(np.count_nonzero(np.isnan(numbers)))
    plain = _as_list(values)
    if set(map(type, plain)) <= _ONLY_NUMBERS:
        try:
            return np.array(plain, dtype=np.float64), plain.count(None)  # None becomes NaN
        except OverflowError:
            pass  # an integer beyond the doubles is among them
    return np.array([_number(value) for value in plain], dtype=np.float64), sum(value is None for value in plain)


def group_texts(values: Values) -> tuple[list[str], npt.NDArray[np.intp]]:
    """List the distinct canonical texts of values, and the index of each value's text among them, shape (rows,).

    The index is -1 where a value is missing or no category.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "biu":
        distinct, places = np.unique(values, return_inverse=True)
        return [canonical_text(value) for value in distinct.tolist()], places.astype(np.intp)
    plain = _as_list(values)
    # True, 1 and 1.0 are equal, their texts are not: a mix of types is kept apart by type.
    keys = plain if len(set(map(type, plain)) - {type(None)}) <= 1 else list(zip(map(type, plain), plain, strict=True))
    try:
        text_of = {key: _text(key if keys is plain else key[1], FeatureType.CATEGORICAL) for key in set(keys)}
    except TypeError:  # a list or an object is among them
        return group_texts([value if isinstance(value, bool | int | float | str) else None for value in plain])
    texts = sorted({text for text in text_of.values() if text is not None})
    place_of = {text: place for place, text in enumerate(texts)}
    place_by_key = {key: -1 if text is None else place_of[text] for key, text in text_of.items()}
    return texts, np.fromiter(map(place_by_key.__getitem__, keys), np.intp, len(plain))


def _as_list(values: Values) -> Sequence[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else values


def _finite(numbers: Floats, weights: Weights | None) -> tuple[Floats, Weights | None]:
    usable = np.isfinite(numbers)
    if usable.all():
        return numbers, weights
    return numbers[usable], None if weights is None else weights[usable]


def _is_missing(values: Values) -> npt.NDArray[np.bool_]:
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        return np.isnan(values)
    return np.fromiter((value is None for value in _as_list(values)), np.bool_, len(values))


def _weight_of(chosen: npt.NDArray[np.bool_], weights: Weights | None) -> int:
    return int(np.count_nonzero(chosen) if weights is None else weights[chosen].sum())


def _weigh(values: Values, kind: FeatureType, weights: Weights) -> tuple[Counter[str], int, int]:
    """Sum weights by canonical text, of those that are missing and of those of another type."""
    if isinstance(values, np.ndarray) and kind is FeatureType.BOOLEAN and values.dtype.kind == "f":
        values = [None if np.isnan(value) else bool(value) if value in {0.0, 1.0} else value for value in values]
    counted, missing, invalid = Counter[str](), 0, 0
    for value, weight in zip(_as_list(values), weights.tolist(), strict=True):
        if (text := _text(value, kind)) is not None:
            counted[text] += weight
        elif value is None:
            missing += weight
        else:
            invalid += weight
    return counted, missing, invalid


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _count(values: Values, kind: FeatureType) -> tuple[Counter[str], int, int]:
    """Count values by canonical text, those that are missing and those of another type."""
    if isinstance(values, np.ndarray) and kind is FeatureType.BOOLEAN and values.dtype.kind == "f":
        return _count_flags(values)
    plain = _as_list(values)
    if kind is FeatureType.CATEGORICAL and set(map(type, plain)) <= _ONLY_TEXTS:
        texts = Counter(plain)
        return texts, texts.pop(None, 0), 0
    counted, invalid = Counter[str](), 0
    for value, count in _distinct(plain):
        if (text := _text(value, kind)) is not None:
            counted[text] += count
        elif value is not None:
            invalid += count
    return counted, len(values) - counted.total() - invalid, invalid


def _distinct(values: Sequence[Any]) -> list[tuple[Any, int]]:
    """Count distinct values of any types."""
    try:
        return [(value, count) for (_, value), count in Counter(zip(map(type, values), values, strict=True)).items()]
    except TypeError:  # a list or an object is among them
        return [(value, 1) for value in values]


def _count_flags(values: Floats) -> tuple[Counter[str], int, int]:
    counted = Counter({"true": int(np.count_nonzero(values == 1)), "false": int(np.count_nonzero(values == 0))})
    missing = int(np.count_nonzero(np.isnan(values)))
    return counted, missing, len(values) - missing - counted.total()


def _text(value: object, kind: FeatureType) -> str | None:
    """Convert a value to its canonical text, None for one that is missing or of another type."""
    if isinstance(value, bool):
        return canonical_text(value)
    if kind is FeatureType.BOOLEAN or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return canonical_text(value)
