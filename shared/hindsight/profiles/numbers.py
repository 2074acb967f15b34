"""A KLL sketch of a numeric column."""

from collections.abc import Iterable
from typing import Self

import numpy as np
import numpy.typing as npt
from datasketches import kll_doubles_sketch

from hindsight.core.errors import UnreadableObject
from hindsight.profiles.distribution import Distribution, Floats

Weights = npt.NDArray[np.int64]

FEATURE_K = 200  # ranks within 1.3 %, at most 5 KB
SCORE_K = 1000  # ranks within 0.3 %, at most 22 KB


class NumberSketch:
    """Finite numbers, summarised: equal in size for any number of them, and mergeable.

    Karnin, Lang & Liberty (2016), "Optimal quantile approximation in streams": with the size ``k`` any rank is known
    to within ``rank_error`` of its true share, 99 % sure; up to ``k`` numbers are kept as they are. Which numbers
    represent the others is a matter of chance, so that two sketches of the same numbers answer alike within the error,
    but not bit for bit. A sketch never changes: merging makes a new one.

    >>> NumberSketch.of(np.array([3.0, 1.0, 2.0])).distribution().values.tolist()
    [1.0, 2.0, 3.0]
    """

    __slots__ = ("_sketch",)

    def __init__(self, sketch: kll_doubles_sketch) -> None:
        self._sketch = sketch

    @classmethod
    def of(cls, values: Floats, k: int = FEATURE_K, weights: Weights | None = None) -> Self:
        """Build the sketch of numbers, all of them finite; each counts as often as its weight, once by default.

        The library's sketches take no weights, and a number put in a million times takes as long. So the weights are
        taken bit by bit, the highest first: the sketch so far is merged with itself, which doubles all that it counts,
        and the numbers whose weight has the bit are put in (the binary method of powers). Merging keeps the error.
        """
        sketch = kll_doubles_sketch(k)
        if weights is None:
            _put(sketch, values)
            return cls(sketch)
        for bit in reversed(range(int(weights.max(initial=0)).bit_length())):
            if sketch.n:
                half, sketch = sketch, kll_doubles_sketch(k)
                sketch.merge(half)
                sketch.merge(half)
            _put(sketch, values[(weights >> bit) & 1 == 1])
        return cls(sketch)

    @classmethod
    def merged(cls, sketches: Iterable["NumberSketch"], k: int = FEATURE_K) -> Self:
        """Merge sketches into one of all their numbers, of the size ``k`` if there is none."""
        found = iter(sketches)
        first = next(found, None)
        whole = kll_doubles_sketch(k if first is None else first._sketch.k)
        for sketch in () if first is None else (first, *found):
            whole.merge(sketch._sketch)
        return cls(whole)

    @property
    def rows(self) -> int:
        """The number of numbers it has seen, each as often as its weight."""
        return int(self._sketch.n)

    @property
    def minimum(self) -> float | None:
        """The least number, exactly; None of none."""
        return float(self._sketch.get_min_value()) if self.rows else None

    @property
    def maximum(self) -> float | None:
        """The greatest number, exactly; None of none."""
        return float(self._sketch.get_max_value()) if self.rows else None

    def distribution(self, heaviest: int = 1) -> Distribution:
        """Build the distribution of the numbers seen, in rows of the weight that the heaviest had."""
        sketch = self._sketch
        if not self.rows:
            return Distribution(np.array([]), np.array([]))
        values = np.unique(np.fromiter((value for value, _ in sketch), np.float64, sketch.num_retained))
        # Not the weights it iterates over: datasketches 5.2 gives all as 1 where merging has emptied its lowest level.
        up_to = np.rint(np.array(sketch.get_cdf(values, True)[:-1]) * self.rows)
        error = sketch.normalized_rank_error(False) if sketch.is_estimation_mode() else 0.0
        return Distribution(values, np.diff(up_to, prepend=0.0) / heaviest, float(error))

    def to_bytes(self) -> bytes:
        """Serialise the sketch in datasketches' own portable form."""
        return bytes(self._sketch.serialize())

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Deserialise a sketch. Raises UnreadableObject."""
        try:
            return cls(kll_doubles_sketch.deserialize(content))
        except (RuntimeError, IndexError, ValueError, MemoryError) as error:
            raise UnreadableObject(f"a sketch of numbers is damaged: {error}") from error


def _put(sketch: kll_doubles_sketch, values: Floats) -> None:
    sketch.update(np.require(values, np.float64, ["C", "W"]))  # it takes no array that is read-only
