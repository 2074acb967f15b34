"""The maturity of cohorts: which predictions are old enough that nearly all of their like are due.

Predictions whose outcomes are due at dates of their own enter a window from both sides: of those made last month only
the quick ones are due. Rows taken as each becomes due are therefore no sample of what comes in live. Cohorts of
prediction time are, once nearly all of each is due.
"""

import numpy as np
import numpy.typing as npt

from hindsight.datasets.dataset import Maturity

Longs = npt.NDArray[np.int64]

# The share of shorter delays among fewer rows is chance; the longest are shown by the oldest cohorts alone.
_MIN_AT_RISK = 30


def age_of_maturity(occurred: Longs, due: Longs, as_of: int, share: float) -> Maturity:
    """Compute the age from which on a ``share`` of a cohort's outcomes is due.

    ``occurred`` is when the rows' predictions were made, ``due`` when their outcomes are, both shape (n,), in
    microseconds, by ``as_of``. A row is seen only if its delay is no longer than its age, so that long delays are seen
    too rarely; the product-limit estimator for truncated data (Woodroofe 1985, Annals of Statistics 13, 163–177) puts
    that right. It knows of no delay that is longer than all ages seen.

    >>> made = np.repeat(np.arange(100), 4)
    >>> due = made + np.tile([1, 1, 1, 40], 100)
    >>> seen = due <= 100
    >>> [age_of_maturity(made[seen], due[seen], 100, share).age for share in (0.7, 0.8)]
    [1, 40]
    """
    if not len(occurred):
        return Maturity(age=0, history=0)
    ages = np.sort(as_of - occurred)
    delays, counts = np.unique(due - occurred, return_counts=True)
    # At risk at a delay: rows with no longer one, of an age at which it would have been seen.
    at_risk = np.cumsum(counts) - np.searchsorted(ages, delays, side="left")
    shorter = np.where(at_risk >= _MIN_AT_RISK, 1 - counts / at_risk, 1.0)
    # Where none of the old rows had a shorter delay, there were no such delays then: the windows of the rules were
    # longer, or another app logged. What came since shows how late outcomes are now.
    changes = np.flatnonzero(shorter[1:] == 0.0) + 1
    shorter = shorter[: changes[0]] if len(changes) else shorter
    due_by = np.append(np.cumprod(shorter[:0:-1])[::-1], 1.0)
    return Maturity(age=int(delays[np.argmax(due_by >= share)]), history=int(ages[-1]))
