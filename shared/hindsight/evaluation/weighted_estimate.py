"""Estimate of a mean over all rows, from rows that were selected with known, unequal probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from hindsight.evaluation.metrics import Floats

Numbers = Sequence[float] | Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightedEstimate:
    """A weighted mean with its interval; without rows the value is None and the interval all there is.

    ``effective_rows`` is the number of equally weighted rows with as much information (Kish, 1965).
    """

    value: float | None
    lower: float
    upper: float
    rows: int
    effective_rows: float


def weighted_estimate(values: Numbers, probabilities: Numbers, confidence: float) -> WeightedEstimate:
    """Estimate the mean of values in [0, 1] over all rows there were, from those selected.

    The value is Hájek's estimate (1971): each row weighs the inverse of its probability, the weights sum to 1. The
    interval, two-sided at ``confidence``, is that of Clopper and Pearson (1934) for the share such a value would be in
    an effective number of rows (Korn and Graubard, 1998); with equal probabilities, exactly theirs.

    The effective number comes from the linearised variance for independent selection. With few errors, or heavy rows
    that are all right by luck, that variance is far too small, and intervals built on it alone hold in as few as 86 of
    100 samples. So it is taken with two more rows, one right and one wrong, each of the weight that a unit of weight
    lies in on average, and the number less those two (after Agresti and Coull, 1998). Wilson's interval on the same
    number is 4 % narrower and holds in 93 to 98 of 100, this one in 95 to 99.

    Parameters
    ----------
    values
        One value a selected row, such as 1.0 for a right decision and 0.0 for a wrong one.
    probabilities
        The rows' selection probabilities, in (0, 1]. Rows whose probability was 0 are not represented by any other:
        the mean is over those that could be selected.
    confidence
        Share of samples whose interval holds the mean, in (0, 1).

    Raises
    ------
    ValueError
        For values, probabilities or a confidence outside their range, or not as many of one as of the other.

    Examples
    --------
    >>> found = weighted_estimate([1.0, 1.0, 0.0], [0.1, 0.1, 1.0], 0.95)
    >>> round(found.value, 3), round(found.effective_rows, 2)
    (0.952, 2.19)
    """
    _require_sound(values, probabilities, confidence)
    if not len(values):
        return WeightedEstimate(value=None, lower=0.0, upper=1.0, rows=0, effective_rows=0.0)
    seen, weights = np.asarray(values, dtype=np.float64), 1 / np.asarray(probabilities, dtype=np.float64)
    total, squares = float(weights.sum()), float((weights**2).sum())
    value = min(1.0, float(weights @ seen) / total)
    size = _size_by_variance(seen, weights, added=squares / total)
    lower, upper = clopper_pearson(value, size, (1 - confidence) / 2)
    return WeightedEstimate(value=value, lower=lower, upper=upper, rows=len(seen), effective_rows=total**2 / squares)


def clopper_pearson(share: float, rows: float, tail: float) -> tuple[float, float]:
    """Compute the bounds of a share seen in some rows, each of which fails in at most ``tail`` of all samples.

    >>> [round(bound, 3) for bound in clopper_pearson(0.9, 100, 0.025)]
    [0.824, 0.951]
    """
    right, wrong = share * rows, (1 - share) * rows
    lower = float(betaincinv(right, wrong + 1, tail)) if right > 0 else 0.0
    upper = float(betaincinv(right + 1, wrong, 1 - tail)) if wrong > 0 else 1.0
    return min(lower, share), max(upper, share)


def _require_sound(values: Numbers, probabilities: Numbers, confidence: float) -> None:
    if len(values) != len(probabilities):
        raise ValueError(f"{len(values)} values, but {len(probabilities)} probabilities")
    if not all(0 <= value <= 1 for value in values):
        raise ValueError("values must lie from 0 to 1")
    if not all(0 < probability <= 1 for probability in probabilities):
        raise ValueError("selection probabilities must lie above 0 and not above 1")
    if not 0 < confidence < 1:
        raise ValueError("the confidence must lie between 0 and 1")


def _size_by_variance(values: Floats, weights: Floats, added: float) -> float:
    """Count the equally weighted rows with the variance of these, steadied by two more that are not counted."""
    total = float(weights.sum()) + 2 * added
    mean = (float(weights @ values) + added) / total
    spread = float(np.square(weights * (values - mean)).sum())
    variance = (spread + added**2 * ((1 - mean) ** 2 + mean**2)) / total**2
    return max(1.0, mean * (1 - mean) / variance - 2)
