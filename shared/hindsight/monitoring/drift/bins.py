"""Two columns on common bins, for distances, the chi-squared test and the report's charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

from hindsight.config.features import FeatureType
from hindsight.profiles.column import ColumnProfile
from hindsight.profiles.distribution import Distribution, Floats

BINS = 10
OTHER_VALUES = "other values"
MAX_DISTINCT = 20
"""A numeric column with no more values than this is compared value by value."""
MIN_PART = 0.02
"""The share of the rows that a bin of numbers has at least, beside values that tie."""
MIN_CATEGORY_ROWS = 10.0
"""A category with fewer rows than this in both samples together, both thought to be of the smaller one's size, joins
the rare ones: alone it would show chance rather than drift."""

# Numbers written in single precision are off by as much (2^-24); summed ones by less.
_ROUNDED = 6e-8
_NEAR_ZERO = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """The numbers of rows of the reference and of the window in each bin, shape (bins,).

    ``slack`` is the share of the rows that the sketches could have moved into or out of each bin.
    """

    names: tuple[str, ...]
    reference: Floats
    current: Floats
    slack: Floats

    @property
    def shares(self) -> tuple[Floats, Floats]:
        """The shares of the rows of either side, zero where a side has none."""
        return _shares(self.reference), _shares(self.current)


@dataclass(frozen=True, slots=True, eq=False)
class CategoryCounts:
    """The counts of a column's categories in effective rows, read from its sketch once.

    ``rows`` have a usable value, ``unnamed`` of them one that no count holds; a count may be ``error`` too low.
    """

    counts: Mapping[str, float]
    rows: float
    unnamed: float = 0.0
    error: float = 0.0

    @classmethod
    def of(cls, column: ColumnProfile) -> Self:
        """Read the counts of a column, none of a numeric one."""
        heaviest = column.heaviest
        if column.categories is None:
            return cls({}, column.present / heaviest)
        counts = {text: count / heaviest for text, count in column.counts.items()}
        found = column.categories
        return cls(counts, column.present / heaviest, found.other / heaviest, found.error / heaviest)

    @property
    def share_lost(self) -> float:
        """The largest error of a category's share, which may be too low."""
        return self.error / self.rows if self.rows else 0.0


def common_bins(reference: ColumnProfile, current: ColumnProfile) -> Bins:
    """Count the usable values of two columns of one kind on common bins."""
    if reference.kind is FeatureType.NUMERIC:
        return number_bins(reference.distribution, current.distribution)
    return category_bins(CategoryCounts.of(reference), CategoryCounts.of(current))


def number_bins(reference: Distribution, current: Distribution) -> Bins:
    """Count numbers between the deciles of the reference, or value by value where it has few.

    Where either side came in single precision, both are compared in it.
    """
    single = _single(reference), _single(current)
    if any(
        np.array_equal(side.values, as_single.values)
        for side, as_single in zip((reference, current), single, strict=True)
    ):
        reference, current = single
    values = distinct_values(reference)
    if len(values) <= MAX_DISTINCT:
        names = (*_shown(values), OTHER_VALUES)
        counts = (_by_value(side, values) for side in (reference, current))
    else:
        edges = number_edges(reference)
        names = _names_between(edges)
        counts = (_between(side, edges) for side in (reference, current))
    expected, actual = counts
    return Bins(names, expected, actual, np.full(len(names), 2 * (reference.rank_error + current.rank_error)))


def distinct_values(reference: Distribution) -> Floats:
    """List the values of a column, ascending; of those that differ by rounding only the least.

    >>> distinct_values(Distribution.exact(np.array([0.3, 0.1 + 0.2, float(np.float32(0.3)), 1.0]))).tolist()
    [0.3, 1.0]
    """
    values = reference.values
    if not len(values):
        return values
    # Numbers of a calendar, or of things, that follow each other differ by less than single precision distinguishes.
    are_whole = (values[1:] % 1 == 0) & (values[:-1] % 1 == 0)
    found: Floats = values[np.append(True, np.diff(values) > np.where(are_whole, 0.0, _rounding(values)[1:]))]
    return found


def number_edges(reference: Distribution) -> Floats:
    """Compute the edges between bins: the deciles, or where values tie others that leave no bin out.

    A value that takes several deciles has a separate bin. The rest of the rows are cut into equal parts, as many as
    leave each at least ``MIN_PART``: what happens in a smaller share of the rows moves no bin. An edge lies above its
    value by what rounding moves that.

    >>> spend = Distribution.exact(np.concatenate([np.zeros(900), np.arange(1.0, 101.0)]))
    >>> number_edges(spend).round(3).tolist()
    [0.0, 20.0, 40.0, 60.0, 80.0]
    """
    deciles = reference.quantile(np.arange(1, BINS) / BINS)
    edges, times = np.unique(deciles, return_counts=True)
    if len(edges) == BINS - 1:
        return deciles + _rounding(deciles)
    tied = edges[times > 1]
    is_tied = np.isin(reference.values, tied)
    rest = Distribution(reference.values[~is_tied], reference.weights[~is_tied])
    parts = max(1, min(BINS, int(rest.rows / reference.rows / MIN_PART)))
    cuts = rest.quantile(np.arange(1, parts) / parts) if len(rest.values) else edges[:0]
    below = tied[tied > reference.values[0]]
    ends = np.concatenate([tied, cuts])
    return np.unique(np.concatenate([below - _rounding(below), ends + _rounding(ends)]))


def named_categories(reference: Floats, current: Floats, rows: Floats) -> npt.NDArray[np.bool_]:
    """Find the categories with enough rows for their own bin.

    Counts have shape (..., categories), ``rows`` those of either side, shape (..., 2). It depends on both sides alike,
    so that neither side's accidents make their own bins.

    >>> named_categories(np.array([900.0, 99.0, 1.0]), np.array([40.0, 2.0, 8.0]), np.array([1000.0, 50.0])).tolist()
    [True, False, False]
    """
    scale = rows.min(axis=-1, keepdims=True) / np.maximum(rows, 1.0)
    named: npt.NDArray[np.bool_] = reference * scale[..., :1] + current * scale[..., 1:] >= MIN_CATEGORY_ROWS
    return named


def category_bins(reference: CategoryCounts, current: CategoryCounts) -> Bins:
    """Build a bin for each category with enough rows, the reference's most frequent first, and one for the rest."""
    expected, actual = reference.counts, current.counts
    texts = [*expected, *(text for text in actual if text not in expected)]
    table = np.array([[side.get(text, 0.0) for text in texts] for side in (expected, actual)])
    rows = np.array([reference.rows, current.rows])
    chosen = named_categories(table[0], table[1], rows)
    names = [texts[place] for place in np.flatnonzero(chosen)]
    rest = np.maximum(rows - table[:, chosen].sum(axis=1), 0.0)
    slack = np.full(len(names), reference.share_lost + current.share_lost)
    if not rest.any():
        return _bins(names, table[:, chosen], slack)
    alone = len(texts) == len(names) + 1 and not reference.unnamed and not current.unnamed
    names.append(texts[int(np.argmin(chosen))] if alone else "rare categories")
    return _bins(names, np.column_stack([table[:, chosen], rest]), np.append(slack, min(1.0, slack.sum())))


def _bins(names: Sequence[str], table: Floats, slack: Floats) -> Bins:
    return Bins(tuple(names), table[0], table[1], slack)


def _shares(counts: Floats) -> Floats:
    return counts / max(float(counts.sum()), 1.0)


def _by_value(side: Distribution, values: Floats) -> Floats:
    if not len(values):
        return _counted(np.zeros(len(side.values), dtype=np.intp), side.weights, 1)
    above = np.searchsorted(values, side.values).clip(0, len(values) - 1)
    below = (above - 1).clip(0)
    is_below = np.abs(values[below] - side.values) < np.abs(values[above] - side.values)
    places = np.where(is_below, below, above)
    # Sums in single precision are off by more than their parts; but half-way to the next value it is another one.
    apart = np.diff(values, append=np.inf if (values % 1).any() else values[-1] + 1).min()
    allowed = np.minimum(20 * _rounding(side.values), apart / 2)
    known = np.abs(values[places] - side.values) <= allowed
    return _counted(np.where(known, places, len(values)), side.weights, len(values) + 1)


def _single(side: Distribution) -> Distribution:
    largest = float(np.finfo(np.float32).max)
    values, places = np.unique(side.values.clip(-largest, largest).astype(np.float32), return_inverse=True)
    return Distribution(
        values.astype(np.float64), np.bincount(places, side.weights).astype(np.float64), side.rank_error
    )


def _rounding(values: Floats) -> Floats:
    """Compute how far equal numbers may lie apart that were written in single precision, or summed."""
    return np.abs(values) * _ROUNDED + _NEAR_ZERO * (np.abs(values).max(initial=0.0) or 1.0)


def _between(side: Distribution, edges: Floats) -> Floats:
    return _counted(np.searchsorted(edges, side.values), side.weights, len(edges) + 1)


def _counted(places: npt.NDArray[np.intp], weights: Floats, bins: int) -> Floats:
    return np.bincount(places, weights, bins).astype(np.float64)


def _names_between(edges: Floats) -> tuple[str, ...]:
    shown = _shown(edges)
    between = (f"{low} to {high}" for low, high in pairwise(shown))
    return (f"up to {shown[0]}", *between, f"above {shown[-1]}")


def _shown(values: Floats) -> Sequence[str]:
    """Write numbers in few digits, in more where some look alike."""
    for digits in (4, 8, 12, 17):
        shown = [f"{value:.{digits}g}" for value in values]
        if len(set(shown)) == len(shown):
            break
    return shown
