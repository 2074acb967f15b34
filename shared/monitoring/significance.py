"""Whether a difference could be chance: two-sample tests, and their error held over many features."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, kolmogorov

Floats = npt.NDArray[np.float64]
Counts = Sequence[float] | npt.NDArray[Any]

SMALLEST_EXPECTED = 5.0  # Cochran (1954): below it the chi-squared approximation fails


def kolmogorov_smirnov(reference: Floats, current: Floats, *, reference_rows: int | None = None) -> tuple[float, float]:
    """Return the two-sample Kolmogorov–Smirnov statistic and its asymptotic p-value (conservative under ties).

    Both samples must be sorted. ``reference_rows`` says how many rows a thinned reference stands for; what thinning
    alone could have added, one step of its distribution, does not count against the null hypothesis.
    An empty sample is no evidence: (0, 1).
    """
    if not len(reference) or not len(current):
        return 0.0, 1.0
    values = np.concatenate([reference, current])
    first = np.searchsorted(reference, values, side="right") / len(reference)
    second = np.searchsorted(current, values, side="right") / len(current)
    statistic = float(np.abs(first - second).max())
    rows = max(reference_rows or 0, len(reference))
    beyond_thinning = statistic if rows == len(reference) else max(0.0, statistic - 1 / len(reference))
    effective = rows * len(current) / (rows + len(current))
    return statistic, float(kolmogorov(np.sqrt(effective) * beyond_thinning))


def chi_squared(reference: Counts, current: Counts) -> tuple[float, float]:
    """Return Pearson's chi-squared statistic of two rows of counts, bin by bin, and its p-value.

    Bins too rare for the approximation are taken together. With fewer than two bins left, or a sample without rows,
    there is no evidence: (0, 1).
    """
    table = np.array([reference, current], dtype=np.float64)
    totals = table.sum(axis=1)
    if not totals.all():
        return 0.0, 1.0
    rare = table.sum(axis=0) * totals.min() / totals.sum() < SMALLEST_EXPECTED
    table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    freedom = table.shape[1] - 1
    if freedom < 1:
        return 0.0, 1.0
    expected = np.outer(totals, table.sum(axis=0)) / totals.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return statistic, float(chdtrc(freedom, statistic))


def benjamini_hochberg(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Return which hypotheses to reject so that at most ``alpha`` of the rejections are expected to be false.

    Benjamini & Hochberg (1995): the step-up procedure.

    >>> benjamini_hochberg([0.01, 0.5, 0.02], 0.05)
    [True, False, True]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    allowed = alpha * np.arange(1, len(values) + 1) / max(len(values), 1)
    passing = np.flatnonzero(values[order] <= allowed)
    rejected = np.zeros(len(values), dtype=bool)
    if len(passing):
        rejected[order[: passing[-1] + 1]] = True
    return [bool(verdict) for verdict in rejected]
