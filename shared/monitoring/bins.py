"""Two columns on common bins: what distances and the chi-squared test compare, and what the report draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from shared.configuration.features import FeatureType
from shared.profiles.column import ColumnProfile
from shared.profiles.distribution import Distribution

Floats = npt.NDArray[np.float64]

BINS = 10
MOST_DISTINCT = 20
"""A numeric column with no more values than this is compared value by value."""
FEWEST_ROWS = 10.0
"""A category with fewer rows than this in both samples together, both thought to be of the smaller one's size, joins
the rare ones: alone it would tell more of chance than of drift."""


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """How many rows of the reference and of the window fall into each bin, shape (bins,).

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


def common_bins(reference: ColumnProfile, current: ColumnProfile) -> Bins:
    """Return the usable values of two columns of one kind on common bins."""
    if reference.kind is FeatureType.NUMERIC:
        return number_bins(reference.distribution, current.distribution)
    return category_bins(reference, current)


def number_bins(reference: Distribution, current: Distribution) -> Bins:
    """Return numbers between the deciles of the reference, or value by value where it has few."""
    if len(reference.values) <= MOST_DISTINCT:
        names = (*(f"{value:.4g}" for value in reference.values), "other values")
        counts = (_by_value(side, reference.values) for side in (reference, current))
    else:
        edges = np.unique(reference.quantile(np.arange(1, BINS) / BINS))
        names = _names_between(edges)
        counts = (_between(side, edges) for side in (reference, current))
    expected, actual = counts
    return Bins(names, expected, actual, np.full(len(names), 2 * (reference.rank_error + current.rank_error)))


def category_bins(reference: ColumnProfile, current: ColumnProfile) -> Bins:
    """Return a bin for each category with enough rows, the reference's most frequent first, and one for the rest.

    Which categories are named depends on both sides alike, so that neither side's accidents make bins of their own.
    """
    expected, actual = reference.counts, current.counts
    texts = [*expected, *(text for text in actual if text not in expected)]
    table = np.array([[side.get(text, 0.0) for text in texts] for side in (expected, actual)])
    rows = np.array([reference.present, current.present], dtype=np.float64)
    together = (table * (rows.min() / np.maximum(rows, 1.0))[:, np.newaxis]).sum(axis=0)
    named = together >= FEWEST_ROWS
    rest = np.maximum(rows - table[:, named].sum(axis=1), 0.0)
    names = [text for text, chosen in zip(texts, named, strict=True) if chosen]
    slack = np.full(len(names), _share_lost(reference) + _share_lost(current))
    if rest.any():
        rare = [text for text, chosen in zip(texts, named, strict=True) if not chosen]
        names.append(rare[0] if len(rare) == 1 and not _has_unnamed(reference, current) else "rare categories")
        slack = np.append(slack, min(1.0, slack.sum()))
        return _bins(names, np.column_stack([table[:, named], rest]), slack)
    return _bins(names, table[:, named], slack)


def _bins(names: Sequence[str], table: Floats, slack: Floats) -> Bins:
    return Bins(tuple(names), table[0], table[1], slack)


def _shares(counts: Floats) -> Floats:
    return counts / max(float(counts.sum()), 1.0)


def _by_value(side: Distribution, values: Floats) -> Floats:
    places = np.minimum(np.searchsorted(values, side.values), max(len(values) - 1, 0))
    known = values[places] == side.values if len(values) else np.zeros(len(side.values), dtype=bool)
    return _counted(np.where(known, places, len(values)), side.weights, len(values) + 1)


def _between(side: Distribution, edges: Floats) -> Floats:
    return _counted(np.searchsorted(edges, side.values), side.weights, len(edges) + 1)


def _counted(places: npt.NDArray[np.intp], weights: Floats, bins: int) -> Floats:
    return np.bincount(places, weights, bins).astype(np.float64)


def _names_between(edges: Floats) -> tuple[str, ...]:
    shown: Sequence[str] = [f"{edge:.4g}" for edge in edges]
    between = (f"{low} to {high}" for low, high in pairwise(shown))
    return (f"up to {shown[0]}", *between, f"above {shown[-1]}")


def _share_lost(side: ColumnProfile) -> float:
    return side.categories.error / side.present if side.categories is not None and side.present else 0.0


def _has_unnamed(*sides: ColumnProfile) -> bool:
    return any(side.categories is not None and side.categories.other > 0 for side in sides)
