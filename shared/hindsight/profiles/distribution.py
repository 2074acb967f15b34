"""The distribution of a numeric column, as far as it is known."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Weighted points of a numeric column: all of its values, or those a sketch has kept of them.

    Parameters
    ----------
    values
        Finite and strictly ascending, shape (points,).
    weights
        The number of rows each value stands for, positive, shape (points,).
    rank_error
        The error of the share at or below a value, at 99 %; 0 where the points are exact.
    """

    values: Floats
    weights: Floats
    rank_error: float = 0.0

    @classmethod
    def exact(cls, values: Floats) -> Self:
        """Build the distribution of finite values in any order.

        >>> Distribution.exact(np.array([2.0, 1.0, 2.0])).weights.tolist()
        [1.0, 2.0]
        """
        ascending, rows = np.unique(values, return_counts=True)
        return cls(ascending, rows.astype(np.float64))

    @property
    def rows(self) -> float:
        """The number of rows the points stand for."""
        return float(self.weights.sum())

    def share_at_or_below(self, values: npt.ArrayLike) -> Floats:
        """Compute the share of the rows at or below each value, 0 where there are no rows.

        >>> Distribution.exact(np.array([1.0, 2.0, 3.0, 4.0])).share_at_or_below([0.0, 2.0, 2.5, 9.0]).tolist()
        [0.0, 0.5, 0.5, 1.0]
        """
        below = np.append(0.0, np.cumsum(self.weights))
        found: Floats = below[np.searchsorted(self.values, np.asarray(values, dtype=np.float64), side="right")]
        return found / below[-1] if below[-1] else found

    def quantile(self, shares: npt.ArrayLike) -> Floats:
        """Find for each share the smallest value that at least this share of the rows is at or below, NaN of none.

        >>> Distribution.exact(np.array([1.0, 2.0, 3.0, 4.0])).quantile([0.0, 0.5, 0.51, 1.0]).tolist()
        [1.0, 2.0, 3.0, 4.0]
        """
        wanted = np.asarray(shares, dtype=np.float64)
        if not len(self.values):
            return np.full(wanted.shape, np.nan)
        below = np.cumsum(self.weights)
        places = np.searchsorted(below, wanted * below[-1], side="left")
        found: Floats = self.values[np.minimum(places, len(self.values) - 1)]
        return found

    @property
    def mean(self) -> float:
        """The mean, NaN of no rows."""
        return float(self.values @ (self.weights / self.rows)) if len(self.values) else np.nan

    @property
    def std(self) -> float:
        """The standard deviation, NaN of no rows; infinite only where it does not fit a double."""
        if not len(self.values):
            return np.nan
        largest = float(np.abs(self.values[[0, -1]]).max()) or 1.0
        scaled = self.values / largest  # squares of large doubles overflow
        off = scaled - self.mean / largest
        return float(np.sqrt((off * off) @ (self.weights / self.rows))) * largest
