"""The sizes and p-values of drift on arrays of counts, a check a row."""

import numpy as np
import numpy.typing as npt

from hindsight.monitoring.drift.bins import MAX_DISTINCT, CategoryCounts, named_categories, number_edges
from hindsight.monitoring.drift.distance import population_stability_index
from hindsight.monitoring.drift.feature_drift import expected_unseen
from hindsight.monitoring.drift.significance import chi_squared, kolmogorov_p_value
from hindsight.profiles.distribution import Distribution

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def number_drift(trained: Integers, served: Integers) -> tuple[Floats, Floats]:
    """Compute the PSI and the Kolmogorov p-value of numbers, a check a row."""
    known = trained > 0
    rows = np.maximum(served.sum(axis=1), 1)
    if known.sum() <= MAX_DISTINCT:
        of_bin = np.where(known, np.cumsum(known) - 1, known.sum())
    else:
        points = np.arange(len(trained), dtype=np.float64)
        edges = number_edges(Distribution(points[known], trained[known].astype(np.float64)))
        of_bin = np.searchsorted(edges, points)
    belongs = (of_bin[:, np.newaxis] == np.arange(of_bin.max() + 1)).astype(np.float64)
    shares, trained_shares = served / rows[:, np.newaxis], trained / trained.sum()
    up_to = np.triu(np.ones((len(trained), len(trained))))
    gaps = shares @ up_to
    gaps -= trained_shares @ up_to
    p_value = kolmogorov_p_value(np.abs(gaps, out=gaps).max(axis=1), trained.sum(), rows)
    return population_stability_index(trained_shares @ belongs, shares @ belongs), p_value


def category_drift(trained: Integers, served: Integers) -> tuple[Floats, Floats]:
    """Compute the PSI and the chi-squared p-value of categories, a check a row."""
    rows = np.stack(np.broadcast_arrays(trained.sum(), served.sum(axis=1)), axis=-1).astype(np.float64)
    named = named_categories(trained.astype(np.float64), served.astype(np.float64), rows)
    expected, actual = (_pooled(counts, named) for counts in (trained, served))
    size = population_stability_index(expected / np.maximum(rows[:, :1], 1.0), actual / np.maximum(rows[:, 1:], 1.0))
    return size, chi_squared(expected, actual).p_value


def _pooled(counts: Integers, named: npt.NDArray[np.bool_]) -> Floats:
    """Count the named categories, and last the others together."""
    used = named.any(axis=0)
    apart = np.where(named[:, used], counts[..., used], 0)
    return np.column_stack([apart, counts.sum(axis=-1) - apart.sum(axis=1)]).astype(np.float64)


def missing_drift(trained: Integers, served: Integers) -> tuple[Floats, Floats]:
    """Compute the change of the missing share and its p-value, a check a row."""
    change, p_value = _rate(float(trained[-1]), float(trained.sum()), served[:, -1], served.sum(axis=1))
    return np.abs(change), p_value


def unseen_drift(trained: Integers, served: Integers) -> tuple[Floats, Floats]:
    """Compute the growth of the unseen categories' share and its p-value, a check a row."""
    named = {str(place): float(count) for place, count in enumerate(trained) if count}
    expected = expected_unseen(CategoryCounts(named, float(trained.sum())))
    growth, p_value = _rate(expected.wrong, expected.rows, served[:, trained == 0].sum(axis=1), served.sum(axis=1))
    return np.maximum(growth, 0.0), p_value


def _rate(wrong: float, rows: float, wrong_now: Integers, rows_now: Integers) -> tuple[Floats, Floats]:
    if not wrong and not wrong_now.any():
        return np.zeros(len(rows_now)), np.ones(len(rows_now))
    most = int(rows_now.max()) + 1
    pairs, place = np.unique(wrong_now * most + rows_now, return_inverse=True)  # few: windows move by a row at a time
    found, rows_found = np.divmod(pairs, most)
    table = np.column_stack([found, rows_found - found]).astype(np.float64)
    change = found / np.maximum(rows_found, 1) - wrong / rows
    return change[place], chi_squared([wrong, rows - wrong], table).p_value[place]


def benjamini_hochberg(p_values: npt.ArrayLike, alpha: npt.ArrayLike) -> Floats:
    """Find the p-value at or below which to reject, so that at most ``alpha`` of the rejections are expected false.

    Benjamini & Hochberg (1995): the step-up procedure, over the last axis. Where no hypothesis is false, the chance of
    any rejection is at most ``alpha``. 0 where nothing is rejected.

    >>> [value <= float(benjamini_hochberg([0.01, 0.5, 0.02], 0.05)) for value in (0.01, 0.5, 0.02)]
    [True, False, True]
    """
    ranked = np.sort(np.asarray(p_values, dtype=np.float64), axis=-1)
    hypotheses = ranked.shape[-1]
    allowed = np.asarray(alpha)[..., np.newaxis] * np.arange(1, hypotheses + 1) / max(hypotheses, 1)
    limit: Floats = np.where(ranked <= allowed, allowed, 0.0).max(axis=-1, initial=0.0)
    return limit
