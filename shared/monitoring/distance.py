"""How far two distributions lie apart: the size of a drift, whatever the number of rows."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Proportions = Sequence[float] | Floats


def population_stability_index(reference: Proportions, current: Proportions, *, floor: float = 1e-4) -> float:
    """Return the PSI between two sets of bin proportions (dimensionless, 0 = identical).

    Empty bins are raised to ``floor``: a bin nobody visited must weigh on the verdict, not divide it by zero.

    >>> round(population_stability_index([0.5, 0.5], [0.9, 0.1]), 3)
    0.879
    """
    expected = np.maximum(np.asarray(reference, dtype=np.float64), floor)
    actual = np.maximum(np.asarray(current, dtype=np.float64), floor)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def jensen_shannon_distance(reference: Proportions, current: Proportions) -> float:
    """Return the Jensen–Shannon distance between two sets of bin proportions, from 0 (identical) to 1 (disjoint).

    The square root of the divergence in bits (Endres & Schindelin, 2003), a metric.

    >>> jensen_shannon_distance([1.0, 0.0], [0.0, 1.0])
    1.0
    """
    first, second = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    middle = (first + second) / 2
    divergence = (_information(first, middle) + _information(second, middle)) / 2
    return float(np.sqrt(min(max(divergence, 0.0), 1.0)))


def wasserstein_distance(reference: Floats, current: Floats) -> float:
    """Return the mean distance by which one sample's values must be moved to become the other, in their unit.

    Both samples must be sorted and not empty.

    >>> wasserstein_distance(np.array([0.0, 1.0]), np.array([2.0, 3.0]))
    2.0
    """
    values = np.sort(np.concatenate([reference, current]), kind="stable")
    gaps = np.diff(values)
    first = np.searchsorted(reference, values[:-1], side="right") / len(reference)
    second = np.searchsorted(current, values[:-1], side="right") / len(current)
    return float((np.abs(first - second) * gaps).sum())


def total_variation(reference: Proportions, current: Proportions) -> float:
    """Return the share of rows that must change bin: the Wasserstein distance where all bins are equally far apart.

    >>> total_variation([0.5, 0.5], [0.75, 0.25])
    0.25
    """
    return float(np.abs(np.asarray(reference) - np.asarray(current)).sum() / 2)


def _information(part: Floats, middle: Floats) -> float:
    visited = part > 0
    return float((part[visited] * np.log2(part[visited] / middle[visited])).sum())
