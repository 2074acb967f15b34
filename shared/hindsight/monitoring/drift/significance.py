"""Significance of differences: two-sample tests that hold far in the tail, and their error over many features.

Checks are repeated for as long as a model serves, so a test is asked for p-values of 1e-6 and less (`level_of`). Every
test here is conservative at that depth, and never calls significant what the sketches behind its numbers could have
done alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, kolmogorov

from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.distribution import Distribution, Floats

SKETCH_DOUBT = 2.0
"""How many times a sketch's stated error is allowed for: once holds in 99 of 100, twice in all but one in millions."""

_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class TestResult:
    """A statistic and its p-value, of one comparison or of many: floats or arrays of one shape."""

    __test__ = False  # no test of pytest's

    statistic: Floats
    p_value: Floats


def kolmogorov_smirnov(reference: Distribution, current: Distribution) -> TestResult:
    """Compute the two-sample Kolmogorov–Smirnov statistic and its p-value; an empty sample is no evidence: (0, 1)."""
    if not reference.rows or not current.rows:
        return TestResult(np.array(0.0), np.array(1.0))
    statistic = greatest_gap(reference, current)
    slack = SKETCH_DOUBT * float(np.hypot(reference.rank_error, current.rank_error))
    return TestResult(statistic, kolmogorov_p_value(statistic, reference.rows, current.rows, slack))


def greatest_gap(reference: Distribution, current: Distribution) -> Floats:
    """Compute the greatest distance between two cumulative distributions, from 0 to 1."""
    values = np.concatenate([reference.values, current.values])
    return np.asarray(np.abs(reference.share_at_or_below(values) - current.share_at_or_below(values)).max())


def kolmogorov_p_value(
    statistic: npt.ArrayLike, reference_rows: npt.ArrayLike, current_rows: npt.ArrayLike, slack: npt.ArrayLike = 0.0
) -> Floats:
    """Compute the asymptotic p-value of Kolmogorov–Smirnov statistics less what sketches could have added to them.

    Conservative under ties, and in the tail: it decreases as ``2 exp(-2 n D²)`` with the effective number of rows
    ``n``, the bound of Dvoretzky, Kiefer and Wolfowitz for two samples (Wei & Dudley, 2012).
    """
    first, second = np.asarray(reference_rows, dtype=np.float64), np.asarray(current_rows, dtype=np.float64)
    effective = first * second / np.maximum(first + second, 1.0)
    found: Floats = kolmogorov(np.sqrt(effective) * np.maximum(np.asarray(statistic) - slack, 0.0))
    return found


def chi_squared(reference: npt.ArrayLike, current: npt.ArrayLike, *, slack: Floats | float = 0.0) -> TestResult:
    """Compute Pearson's chi-squared statistic of two rows of counts, and a p-value that holds in the tail.

    Counts have shape (..., bins); the results have the leading shape. ``slack`` is the share of the rows that sketches
    could have moved into or out of a bin. With fewer than two bins that hold anything, or a sample without rows, there
    is no evidence: (0, 1).

    Pearson's statistic overstates a bin that holds more rows than expected, where few are: at an expected 5 rows its
    p-values near 1e-7 are wrong by orders of magnitude. The p-value rests on a smaller statistic that takes the
    deviance, ``2 (O ln(O / E) - O + E)``, of the bins above expectation and Pearson's term of those below. Half of
    either is the exponent of Chernoff's bound on a Poisson or binomial count in that direction (Boucheron, Lugosi &
    Massart, 2013, section 2.2), so that the chi-squared tail is no lower than the truth, however rare the bin.
    """
    first, second = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    columns = first + second
    rows = first.sum(axis=-1, keepdims=True), second.sum(axis=-1, keepdims=True)
    whole = np.maximum(rows[0] + rows[1], _TINY)
    expected = np.maximum(columns * (rows[0] / whole), _TINY), np.maximum(columns * (rows[1] / whole), _TINY)
    # What one side has more of a bin than expected, the other has less.
    moved = np.where(columns > 0.0, second - columns * (rows[1] / whole), 0.0)
    statistic = (moved**2 / expected[0] + moved**2 / expected[1]).sum(axis=-1)
    beyond = np.maximum(np.abs(moved) - slack * (rows[0] * (rows[1] / whole)), 0.0)
    above = np.where(moved > 0.0, expected[1], expected[0])
    below = np.where(moved > 0.0, expected[0], expected[1])
    cautious = (2 * ((above + beyond) * np.log1p(beyond / above) - beyond) + beyond**2 / below).sum(axis=-1)
    freedom = (columns > 0.0).sum(axis=-1) - 1
    is_tested = (freedom > 0) & (rows[0][..., 0] > 0.0) & (rows[1][..., 0] > 0.0)
    p_value = np.where(is_tested, chdtrc(np.maximum(freedom, 1), np.maximum(cautious, 0.0)), 1.0)
    return TestResult(np.where(is_tested, statistic, 0.0), p_value)


def suspicion(*, is_large: bool) -> str:
    """Describe a suspect difference by what it has and what it lacks."""
    return "large, not yet significant" if is_large else "significant, but small"


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """The comparisons that a check tests together: their p-values, and the ``level`` that they share."""

    p_values: Sequence[float]
    level: float

    def corrected(self, p_value: float) -> float:
        """Correct a p-value for the number of comparisons: it is significant where that is at most the level.

        Benjamini & Hochberg (1995): the least level at which their step-up procedure rejects it, so that at most that
        share of the rejections is expected to be false. Where no hypothesis is false, the chance of any rejection is at
        most the level.

        >>> together = Comparisons([0.01, 0.5, 0.02], level=0.05)
        >>> [round(together.corrected(p_value), 3) for p_value in (0.01, 0.5, 0.02)]
        [0.03, 0.5, 0.03]
        """
        ranked = np.sort(np.asarray(self.p_values, dtype=np.float64))
        least = np.maximum(ranked, p_value) * len(ranked) / np.arange(1, len(ranked) + 1)
        return float(least.min(initial=1.0))

    def verdict(self, corrected: float, *, is_large: bool) -> Verdict:
        """Judge a difference: large and significant is drift, one of both suspect."""
        is_significant = corrected <= self.level
        if is_large and is_significant:
            return Verdict.DRIFT
        return Verdict.SUSPECT if is_large or is_significant else Verdict.OK
