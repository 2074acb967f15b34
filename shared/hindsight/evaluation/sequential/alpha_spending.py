"""Alpha spending: significance levels of checks, so that a champion's whole life of them keeps within one alpha."""

import math
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
HALF_SPENT = timedelta(days=30)


def level_of(alpha: float, promoted_at: datetime, now: datetime) -> float:
    """Compute the significance level of a check at ``now`` of a champion that serves since ``promoted_at``.

    Alpha spending (Lan & DeMets, 1983): by ``t`` hours after promotion a share ``G(t) = t / (t + tau)`` of ``alpha`` is
    spent, half of it after ``tau``, thirty days. A check in hour ``t`` (1, 2, …) may spend
    ``alpha * (G(t) - G(t - 1))``. These levels sum to less than ``alpha`` over however many hours, so that the chance
    of any false significance in a champion's life is at most ``alpha`` (Boole), however they depend on each other.

    Checks within one hour read the same hourly profiles, but for the newest, and share a level: a check that is
    replayed has the level it had. A check before the promotion (a backfill) counts as one in the first hour.

    >>> from datetime import UTC
    >>> promoted = datetime(2026, 3, 1, tzinfo=UTC)
    >>> f"{level_of(0.01, promoted, promoted + timedelta(minutes=10)):.2e}"
    '1.39e-05'
    >>> f"{level_of(0.01, promoted, promoted + timedelta(days=365)):.2e}"
    '8.01e-08'
    """
    hour = max(1, math.ceil((now - promoted_at) / HOUR))
    half_spent = HALF_SPENT / HOUR
    # G(t) - G(t - 1) as one fraction: the difference of two numbers near 1 would lose its digits.
    return alpha * half_spent / ((hour + half_spent) * (hour - 1 + half_spent))
