"""Distances between two distributions: the size of a drift, for any number of rows."""

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

from hindsight.profiles.distribution import Distribution, Floats

MIN_BIN_SHARE = 1e-4


def population_stability_index(
    reference: npt.ArrayLike, current: npt.ArrayLike, *, floor: float = MIN_BIN_SHARE
) -> Floats:
    """Compute the PSI between proportions of shape (..., bins): dimensionless, 0 = identical.

    Empty bins are raised to ``floor``: an empty bin must weigh on the verdict, not divide it by zero.

    >>> round(float(population_stability_index([0.5, 0.5], [0.9, 0.1])), 3)
    0.879
    """
    expected = np.maximum(np.asarray(reference, dtype=np.float64), floor)
    actual = np.maximum(np.asarray(current, dtype=np.float64), floor)
    found: Floats = ((actual - expected) * np.log(actual / expected)).sum(axis=-1)
    return found


def jensen_shannon_distance(reference: npt.ArrayLike, current: npt.ArrayLike) -> Floats:
    """Compute the Jensen–Shannon distance between proportions of shape (..., bins), from 0 (identical) to 1 (disjoint).

    The square root of the divergence in bits (Endres & Schindelin, 2003), a metric.

    >>> float(jensen_shannon_distance([1.0, 0.0], [0.0, 1.0]))
    1.0
    """
    first, second = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    middle = (first + second) / 2
    nats = (rel_entr(first, middle) + rel_entr(second, middle)).sum(axis=-1) / 2
    found: Floats = np.sqrt(np.clip(nats / np.log(2), 0.0, 1.0))
    return found


def total_variation(reference: npt.ArrayLike, current: npt.ArrayLike) -> Floats:
    """Compute the share of rows that must change bin: the Wasserstein distance where all bins are equally far apart.

    >>> float(total_variation([0.5, 0.5], [0.75, 0.25]))
    0.25
    """
    found: Floats = np.abs(np.asarray(reference) - np.asarray(current)).sum(axis=-1) / 2
    return found


def wasserstein_distance(reference: Distribution, current: Distribution) -> float:
    """Compute the mean distance by which values must be moved to become the others, in their unit.

    Neither distribution may be empty. Infinite only where it does not fit a double.

    >>> first, second = Distribution.exact(np.array([0.0, 1.0])), Distribution.exact(np.array([2.0, 3.0]))
    >>> wasserstein_distance(first, second)
    2.0
    """
    values = np.union1d(reference.values, current.values)
    apart = np.abs(reference.share_at_or_below(values) - current.share_at_or_below(values))[:-1]
    largest = _largest(values)  # the gap between two large doubles overflows
    return float(apart @ np.diff(values / largest)) * largest


def standardised_wasserstein(reference: Distribution, current: Distribution) -> float:
    """Compute the Wasserstein distance in standard deviations of the reference, so that one threshold fits all.

    A constant has none: where it moved, the deviation of both together is used.

    >>> constant, moved = Distribution.exact(np.array([5.0, 5.0])), Distribution.exact(np.array([7.0, 7.0]))
    >>> standardised_wasserstein(constant, moved), standardised_wasserstein(constant, constant)
    (2.0, 0.0)
    """
    largest = _largest(np.concatenate([reference.values, current.values]))
    first, second = (Distribution(one.values / largest, one.weights / one.rows) for one in (reference, current))
    moved = wasserstein_distance(first, second)
    if moved == 0.0:
        return 0.0
    spread = first.std
    if spread <= np.finfo(np.float64).eps:
        spread = float(np.hypot(second.std / np.sqrt(2), (second.mean - first.mean) / 2))
    return float(moved / max(spread, np.finfo(np.float64).tiny))


def _largest(values: Floats) -> float:
    return float(np.abs(values).max()) or 1.0
