"""An anytime-valid test that a mean has fallen, by betting: look as often as you like, the error stays."""

from dataclasses import dataclass, replace

import numpy as np

from hindsight.evaluation.metrics import Floats

MULTIPLES = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 8.0])  # stakes, in those that break even at the limit
SMALLEST_GAP = 0.02  # where the null is the limit itself: a stake is best at a fall of 0.01, the next at 0.02, to 0.32
LARGEST_LOSS = 0.9  # of a stake in one round: no single label ruins a bettor
STARTS = 4000.0  # labels by which half of the bettors have begun
PRIOR_ROUNDS = 20.0
RICHEST = 1e6  # what a bettor wins beyond is given away, so that wealth stays a number and falls again in time


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The null that is bet against, on values from 0 to 1 of which more is better.

    The bettors say that the mean lies below ``null``; their stakes are set for means about ``limit`` (not above
    ``null``).
    """

    null: float
    limit: float

    @property
    def gap(self) -> float:
        """The distance below the null that the stakes are set for."""
        return max(self.null - self.limit, SMALLEST_GAP)


@dataclass(frozen=True, slots=True)
class Wealth:
    """The bettors' wealth after ``rounds`` labels; arrays may have leading axes, one entry a test.

    ``stakes``, shape (..., bets), is what those who have begun own; those who have not still own their share of 1.
    ``mean_weight`` and ``mean_square``, shape (...), are running means of the weights and of the squared weighted
    distances from the null: they set the next stakes. ``heaviest`` is the largest weight there can be: it bounds the
    stakes, and is known before any label, since stakes that shrank only once a heavy row came would be too large on
    the light ones before it. ``starts`` is the number of labels by which half of the bettors have begun: small where
    a fall would be there from the beginning, large where it may come at any time in a long life.
    """

    rounds: int
    stakes: Floats
    mean_weight: Floats
    mean_square: Floats
    heaviest: float = 1.0
    starts: float = STARTS

    @classmethod
    def at_start(cls, hypothesis: Hypothesis, shape: tuple[int, ...] = (), heaviest: float = 1.0) -> "Wealth":
        """Build the wealth before the first label, with the spread of a share at the limit to begin with."""
        spread = hypothesis.limit * (1 - hypothesis.limit) + hypothesis.gap**2
        return cls(0, np.zeros((*shape, len(MULTIPLES))), np.ones(shape), np.full(shape, spread), heaviest)

    @property
    def evidence(self) -> Floats:
        """The e-value, shape (...): the total wealth, of 1 at the start. It reaches 1 / alpha with chance alpha."""
        waiting = self.starts / (self.rounds + self.starts)
        return np.asarray(self.stakes.mean(axis=-1) + waiting, dtype=np.float64)


def bet(wealth: Wealth, hypothesis: Hypothesis, values: Floats | float, weights: Floats | float = 1.0) -> Wealth:
    """Compute the wealth after one more label a test.

    In each round a bettor's wealth is multiplied by ``1 + stake (null - value)``. If the mean, given all that went
    before, is at least the null, no strategy that fixes its stake before the value is known expects to win, so that
    total wealth ever exceeds ``1 / alpha`` with probability at most ``alpha`` (Ville, 1939; Waudby-Smith & Ramdas,
    2023, "Estimating means of bounded random variables by betting"). A mixture of bettors who begin at every label,
    with weights ``starts / ((t + starts - 1) (t + starts))`` that sum to 1, finds a fall late in a long life nearly
    as fast as an early one.

    A stake breaks even, to second order, at the mean ``limit`` where it is ``2 gap E[w] / E[w² (null - x)²]``; the
    bettors stake multiples of it. A row that stands for others counts by its ``weights``, the inverse of the
    probability with which it was selected, known before its label (Horvitz & Thompson, 1952).

    Parameters
    ----------
    wealth, hypothesis
        What is owned, and what is bet against.
    values : shape (...), from 0 to 1
    weights : shape (...), at least 1

    Raises
    ------
    ValueError
        For a weight above ``wealth.heaviest``.

    Examples
    --------
    >>> hypothesis = Hypothesis(null=0.85, limit=0.85)
    >>> wealth, rounds = Wealth.at_start(hypothesis), 0
    >>> while wealth.evidence < 20:  # every other answer is wrong
    ...     wealth, rounds = bet(wealth, hypothesis, float(rounds % 2)), rounds + 1
    >>> rounds
    43
    """
    if np.max(weights) > wealth.heaviest:
        raise ValueError("a row is heavier than the stakes allow for")
    started = wealth.rounds + 1
    begun = wealth.starts / ((started + wealth.starts - 1) * (started + wealth.starts))
    even = 2 * hypothesis.gap * wealth.mean_weight / np.maximum(wealth.mean_square, np.finfo(float).tiny)
    bound = LARGEST_LOSS / (wealth.heaviest * max(1 - hypothesis.null, LARGEST_LOSS / 100))
    stakes = np.minimum(even[..., np.newaxis] * MULTIPLES, bound)
    distance = np.asarray(weights * (hypothesis.null - values), dtype=np.float64)
    won = 1 + stakes * distance[..., np.newaxis]
    return replace(
        wealth,
        rounds=started,
        stakes=np.minimum((wealth.stakes + begun) * won, RICHEST),
        mean_weight=_running(wealth.mean_weight, weights, started),
        mean_square=_running(wealth.mean_square, distance**2, started),
    )


def _running(mean: Floats, value: Floats | float, rounds: int) -> Floats:
    return np.asarray(mean + (value - mean) / (rounds + PRIOR_ROUNDS), dtype=np.float64)
