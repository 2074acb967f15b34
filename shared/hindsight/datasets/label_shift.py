"""The label shift of a dataset: its newest labels, the holdout's, compared with those before."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hindsight.config.metrics import Task
from hindsight.datasets.dataset import PARTS, Manifest

_NORMAL_95 = 1.96
_ALPHA = 0.05


def furthest_apart(earlier: NDArray[np.float64], newest: NDArray[np.float64]) -> dict[str, float]:
    """Find the number up to which the shares of two samples differ most, and both shares (Kolmogorov-Smirnov).

    >>> furthest_apart(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0, 6.0]))
    {'up_to': 2.0, 'train': 0.5, 'holdout': 0.0}
    """
    if not len(earlier) or not len(newest):
        return {}
    at = np.union1d(earlier, newest)
    shares = [np.searchsorted(np.sort(sample), at, side="right") / len(sample) for sample in (earlier, newest)]
    place = int(np.argmax(np.abs(shares[0] - shares[1])))
    return {"up_to": float(at[place]), "train": float(shares[0][place]), "holdout": float(shares[1][place])}


def label_shift(dataset: Manifest, most: float) -> str | None:
    """Describe how the newest labels differ from earlier ones by more than ``most``, significantly; else None.

    Judged by the lower end of a 95 % interval, so that few labels raise no alarm. Both parts have rows.
    """
    earlier, newest = (dataset.counts[part] for part in PARTS)
    if dataset.task is Task.REGRESSION:
        return _shift_of_numbers(earlier, newest, most)
    return _shift_of_classes(earlier, newest, most)


def _shift_of_classes(earlier: Mapping[str, Any], newest: Mapping[str, Any], most: float) -> str | None:
    """Describe a shift of classes by the difference of two shares (Wald), class by class."""
    rows = [earlier["rows"], newest["rows"]]
    for name in sorted({*earlier["classes"], *newest["classes"]}):
        shares = [counts["classes"].get(name, 0) / counts["rows"] for counts in (earlier, newest)]
        variance = sum(share * (1 - share) / total for share, total in zip(shares, rows, strict=True))
        at_least = abs(shares[1] - shares[0]) - _NORMAL_95 * variance**0.5
        if at_least > most:
            return _sentence(shares, rows, repr(name), at_least, most)
    return None


def _shift_of_numbers(earlier: Mapping[str, Any], newest: Mapping[str, Any], most: float) -> str | None:
    """Describe a shift of numbers by the greatest difference of two distributions, without the part of chance in each.

    Dvoretzky, Kiefer and Wolfowitz, with the constant of Massart, *The tight constant in the DKW inequality*, 1990.
    """
    found = newest["furthest"]
    rows, shares = [earlier["rows"], newest["rows"]], [found["train"], found["holdout"]]
    chance = sum(math.sqrt(math.log(4 / _ALPHA) / (2 * total)) for total in rows)
    at_least = abs(shares[1] - shares[0]) - chance
    return _sentence(shares, rows, f"at most {found['up_to']:g}", at_least, most) if at_least > most else None


def _sentence(shares: list[float], rows: list[int], what: str, at_least: float, most: float) -> str:
    return (
        f"{shares[1]:.1%} of the newest {rows[1]} labels are {what}, {shares[0]:.1%} of the {rows[0]} "
        f"before: a difference of at least {at_least:.3f}, {most:g} is allowed"
    )
