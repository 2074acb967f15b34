"""Drawing a sample with chosen probabilities, from dice that fall the same way every time."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from itertools import accumulate

# Probabilities are whole numbers of these units: sums are exact, so that a sample is never one too large.
UNITS = 2**60
_DOUBLE_BITS = 53


def hash_uniform(*parts: str) -> float:
    """Compute a number in [0, 1) that the parts decide, evenly spread and independent from one text to the next.

    >>> hash_uniform("audit", "bike-demand", "p-1") == hash_uniform("audit", "bike-demand", "p-1")
    True
    """
    # The length goes before each part: ("a", "bc") and ("ab", "c") are not the same text.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    digest = hashlib.sha256(text.encode()).digest()
    return float((int.from_bytes(digest[:8], "big") >> (64 - _DOUBLE_BITS)) / 2**_DOUBLE_BITS)


def inclusion_units(weights: Sequence[float], target: float) -> list[int]:
    """Compute inclusion probabilities proportional to weight, each at most 1, that sum to ``target``; in ``UNITS``.

    What is above 1 is cut to 1 and the rest of the target shared out among the others, until none is above (Tillé,
    2006, section 2.10). Weights must be positive. A target beyond the number of weights takes every one.

    >>> [units / UNITS for units in inclusion_units([8.0, 1.0, 1.0], 2)]
    [1.0, 0.5, 0.5]
    """
    units = [0] * len(weights)
    if target >= len(weights):
        return [UNITS] * len(weights)
    if target <= 0:
        return units
    heaviest_first = sorted(range(len(weights)), key=lambda index: -weights[index])
    certain = _count_certain([weights[index] for index in heaviest_first], target)
    for index in heaviest_first[:certain]:
        units[index] = UNITS
    others = heaviest_first[certain:]
    scale = (target - certain) / math.fsum(weights[index] for index in others)
    for index in others:
        units[index] = min(UNITS, int(scale * weights[index] * UNITS))
    # What rounding lost or gained is the heaviest's: only with the exact sum is the sample never one too large.
    units[others[0]] = min(UNITS, units[others[0]] + int(target * UNITS) - sum(units))
    return units


def _count_certain(heaviest_first: Sequence[float], target: float) -> int:
    """Count how many of the weights, sorted downwards, have a probability of 1; fewer than all, if target is."""
    weight_left = list(accumulate(reversed(heaviest_first)))[::-1]
    for position, weight in enumerate(heaviest_first):
        if (target - position) * weight < weight_left[position]:
            return position
    return len(heaviest_first) - 1


def systematic_sample(units: Iterable[int], start: float) -> list[int]:
    """Draw the indices in whose span of the running total a point ``start`` + 0, 1, 2 … falls.

    Madow (1949). Over an even ``start`` in [0, 1) each index is drawn with exactly its probability, and the size of
    the sample is the sum of the probabilities, rounded down or up. Neighbours rarely come together, so that the order
    of the units is an implicit stratification.

    >>> systematic_sample([UNITS // 2] * 4, 0.6)
    [1, 3]
    """
    drawn, total, point = [], 0, int(start * UNITS)
    for index, probability in enumerate(units):
        total += probability
        if point < total:
            drawn.append(index)
            point += UNITS
    return drawn
