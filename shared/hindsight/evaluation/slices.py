"""Slices of rows by a feature: one definition for the gate, the model card and live performance."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hindsight.config.features import FeatureType
from hindsight.config.labels import canonical_text
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.metrics import Floats, Values
from hindsight.label_records.rows import LabelRows

MAX_SLICES = 50  # a feature: the record of a version has to fit one item
MISSING = "(missing)"
MAX_SINGLE_NUMBERS = 4
"""A numeric feature with no more values than this is sliced value by value."""

_QUARTERS = (0.25, 0.5, 0.75)

Slices = Iterator[tuple[str, Values]]


def slices_of_rows(rows: Sequence[LabelFields], name: str, kind: FeatureType) -> Slices:
    """List the slices of label records by a feature; see ``slices_of``."""
    if not rows:
        return
    column = LabelRows.of(rows).feature(name)
    if kind is FeatureType.NUMERIC:
        yield from slices_of(column.numbers, kind)
        return
    distinct, codes = column.distinct()
    yield from _most_frequent([None if value is None else canonical_text(value) for value in distinct], codes)


def slices_of(values: Values, kind: FeatureType) -> Slices:
    """List at most 50 slices of a column, the largest first, each with its name and the indices of its rows.

    Every row lies in one slice: rows without a value in one of their own, equal values in the same. Categories and
    booleans (floats 0 and 1) are sliced by value, numbers by value where they have at most four, else into quarters;
    a number that fills a quarter has a separate slice.

    >>> [(name, rows.tolist()) for name, rows in slices_of(np.array([1.0, np.nan, 1.0]), FeatureType.BOOLEAN)]
    [('true', [0, 2]), ('(missing)', [1])]
    >>> [(name, len(rows)) for name, rows in slices_of(np.array([0.0] * 90 + list(range(1, 11))), FeatureType.NUMERIC)]
    [('0', 90), ('above 0', 10)]
    """
    if not len(values):
        return
    if kind is FeatureType.NUMERIC:
        names, codes = _of_numbers(values.astype(np.float64))
    else:
        texts = [_text(value, kind) for value in values.tolist()]
        names = list(dict.fromkeys(texts))
        places = {name: place for place, name in enumerate(names)}
        codes = np.array([places[text] for text in texts])
    yield from _most_frequent(names, codes)


def _text(value: object, kind: FeatureType) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return canonical_text(bool(value)) if kind is FeatureType.BOOLEAN else str(value)


def _most_frequent(names: Sequence[str | None], codes: npt.NDArray[np.int64]) -> Slices:
    # No array of text: it would cut what ends in NUL.
    places: dict[str | None, int] = {}
    of_rows = np.array([places.setdefault(name, len(places)) for name in names], dtype=np.intp)[codes]
    shown = [MISSING if name is None else f"'{name}'" if name.strip("'") == MISSING else name for name in places]
    counts = np.bincount(of_rows, minlength=len(shown))
    by_code = np.split(np.argsort(of_rows, kind="stable"), np.cumsum(counts)[:-1])
    for place in sorted(range(len(shown)), key=lambda place: (-counts[place], shown[place]))[:MAX_SLICES]:
        if counts[place]:
            yield shown[place], by_code[place]


def _of_numbers(numbers: Floats) -> tuple[list[str | None], npt.NDArray[np.int64]]:
    """Name the slices of numbers, and find each row's place among them."""
    is_present = np.isfinite(numbers)
    present = numbers[is_present]
    if not len(present):
        return [None], np.zeros(len(numbers), dtype=np.int64)
    single = np.unique(present)
    edges = np.array([], dtype=np.float64)
    if len(single) > MAX_SINGLE_NUMBERS:
        # A value that a quantile hits, not one between two: what is equal stays together.
        cuts = np.quantile(present, [0.0, *_QUARTERS, 1.0], method="inverted_cdf")
        again, times = np.unique(cuts, return_counts=True)
        single, edges = again[times > 1], np.unique(cuts[1:-1])
    shown = _shown(np.union1d(single, edges))
    names = [*(shown[value] for value in single), *_between([shown[edge] for edge in edges]), None]
    of_rows = np.full(len(numbers), len(names) - 1)
    of_rows[is_present] = len(single) + np.searchsorted(edges, present)
    for place, value in enumerate(single.tolist()):
        of_rows[numbers == value] = place
    return names, of_rows


def _between(edges: Sequence[str]) -> list[str]:
    if not edges:
        return []
    middle = [f"above {low} to {high}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]}", *middle, f"above {edges[-1]}"]


def _shown(numbers: Floats) -> dict[float, str]:
    """Write numbers apart: with twelve digits, or where two of them would look alike with all."""
    short = [f"{number:.12g}" for number in numbers]
    return dict(zip(numbers, short if len(set(short)) == len(short) else map(str, numbers.tolist()), strict=True))
