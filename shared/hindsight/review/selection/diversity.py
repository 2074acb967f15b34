"""The similarity of predictions, so that a review queue does not fill up with near-duplicates.

Rows are projected onto a few random directions and cut into boxes there: rows near each other fall into one box nearly
always, for any number of features (Datar et al., 2004, locality-sensitive hashing; with signs as directions,
Achlioptas, 2003). A grid over the features themselves tears near-duplicates apart as soon as there are ten of them.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hindsight.config.features import Feature, FeatureType
from hindsight.config.labels import canonical_text
from hindsight.entities.prediction import Features, FeatureValue

Cell = tuple[int, ...]
Scale = tuple[float, float]

MAX_FEATURES = 64
MIN_DENSITY_FACTOR = 0.01
_DIRECTIONS = 3
_WIDTH = 0.75  # of a cell, in standard deviations of the projected rows
_FARTHEST = 3.0  # standard deviations: an outlier is not worth its own cell in every direction
_LARGEST = 1e100  # squares of the largest doubles overflow
_MISSING = "\x00missing"


@dataclass(frozen=True, slots=True)
class Moments:
    """Running count, mean and sum of squared deviations of a feature (Welford, 1962)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def including(self, values: Iterable[float]) -> "Moments":
        """Add values to the moments.

        >>> Moments().including([1.0, 3.0])
        Moments(count=2, mean=2.0, squares=2.0)
        """
        count, mean, squares = self.count, self.mean, self.squares
        for value in values:
            bounded = max(-_LARGEST, min(_LARGEST, value))
            count += 1
            before = bounded - mean
            mean += before / count
            squares += before * (bounded - mean)
        return Moments(count, mean, squares)

    @property
    def scale(self) -> Scale:
        """Centre and standard deviation."""
        return self.mean, math.sqrt(self.squares / self.count) if self.count else 0.0


def moments_with(
    moments: Mapping[str, Moments], rows: Sequence[Features], features: Mapping[str, Feature]
) -> dict[str, Moments]:
    """Compute the moments of the numeric features that are needed, those without a declared range, with more rows."""
    found = {}
    for name, feature in _used(features):
        if feature.type is FeatureType.NUMERIC and _declared(feature) is None:
            values = (number for row in rows if (number := _number(row.get(name))) is not None)
            found[name] = moments.get(name, Moments()).including(values)
    return found


def cells_of(rows: Sequence[Features], features: Mapping[str, Feature], moments: Mapping[str, Moments]) -> list[Cell]:
    """Compute each row's cell, by its first ``MAX_FEATURES`` declared features.

    A numeric feature is put on the scale of its declared range, else of its moments; a category, a boolean and a
    missing value are separate directions.
    """
    used = [(name, feature, _scale(feature, moments.get(name))) for name, feature in _used(features)]
    step = _WIDTH * math.sqrt(len(used))
    return [_cell(row, used, step) for row in rows]


def along_the_cells(cell: Cell) -> tuple[int, ...]:
    """Build a key by which sorted cells follow one another as neighbours: to and fro, as one ploughs a field.

    >>> sorted([(0, 0), (0, 1), (1, 0), (1, 1)], key=along_the_cells)
    [(0, 0), (0, 1), (1, 1), (1, 0)]
    """
    turned, key = False, []
    for coordinate in cell:
        key.append(-coordinate if turned else coordinate)
        turned ^= bool(coordinate % 2)
    return tuple(key)


def density_factors(cells: Sequence[Cell], sampled: Mapping[Cell, int], diversity: float) -> list[float]:
    """Compute the factor of each row's weight for the density of its cell, at least ``MIN_DENSITY_FACTOR``.

    The density is how many rows of the batch lie in the cell, and how many of today's samples, each against the mean of
    the cells that have any; the factor is its power of minus ``diversity``. So it is 1 in a cell as full as the
    others, and as large for a batch of one as for one of hundreds.

    >>> [round(factor, 2) for factor in density_factors([(0,), (0,), (0,), (1,)], {}, 1.0)]
    [0.67, 0.67, 0.67, 2.0]
    """
    rows = Counter(cells)
    mean_rows = len(cells) / max(1, len(rows))
    mean_sampled = sum(sampled.values()) / max(1, len(sampled))
    factors = {
        cell: max(
            MIN_DENSITY_FACTOR, (count / mean_rows * (1 + sampled.get(cell, 0)) / (1 + mean_sampled)) ** -diversity
        )
        for cell, count in rows.items()
    }
    return [factors[cell] for cell in cells]


def _used(features: Mapping[str, Feature]) -> list[tuple[str, Feature]]:
    return list(features.items())[:MAX_FEATURES]


def _declared(feature: Feature) -> Scale | None:
    """Compute centre and standard deviation of a feature spread evenly over its declared range."""
    if feature.min is None or feature.max is None:
        return None
    return feature.min / 2 + feature.max / 2, (feature.max / 2 - feature.min / 2) / math.sqrt(3)


def _scale(feature: Feature, moments: Moments | None) -> Scale:
    return _declared(feature) or (moments or Moments()).scale


def _cell(row: Features, used: Sequence[tuple[str, Feature, Scale]], step: float) -> Cell:
    totals = [0.0] * _DIRECTIONS
    for name, feature, (centre, deviation) in used:
        value = row.get(name)
        number = _number(value) if feature.type is FeatureType.NUMERIC else None
        if number is None:
            along, size = _signs(name, _text(value)), 1.0
        else:
            along = _signs(name, "")
            size = max(-_FARTHEST, min(_FARTHEST, (number - centre) / deviation)) if deviation else 0.0
        for direction, sign in enumerate(along):
            totals[direction] += sign * size
    return tuple(math.floor(total / step + 0.5) for total in totals)


def _number(value: FeatureValue) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: FeatureValue) -> str:
    return _MISSING if value is None else canonical_text(value)


@lru_cache(maxsize=16_384)
def _signs(name: str, value: str) -> tuple[int, ...]:
    """Compute the random direction of a feature, or of one of its values: the same in every process."""
    bits = hashlib.sha256(f"{name}\x00{value}".encode()).digest()[0]
    return tuple(1 if bits >> place & 1 else -1 for place in range(_DIRECTIONS))
