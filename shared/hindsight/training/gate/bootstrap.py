"""The paired, studentised bootstrap: a lower bound on the difference between two versions on the same rows."""

from dataclasses import dataclass
from math import ceil

import numpy as np
from scipy.special import stdtrit

from hindsight.config.metrics import Metric
from hindsight.evaluation.influence import measure_influence
from hindsight.evaluation.metrics import Floats, Values
from hindsight.training.models.scoring import Predictions

RESAMPLES = 1_000


_MAX_RESAMPLES = 50_000
_RESAMPLES_BEYOND = 20  # that many are to lie beyond the quantile
_LUCK = 1.96  # how many standard deviations of the resamples' own chance are taken off
_MAX_CELLS = 64


@dataclass(frozen=True, slots=True)
class Difference:
    """The advantage of the challenger, positive for better with every metric; ``lower`` bounds it from below."""

    estimate: float
    lower: float


@dataclass(frozen=True, slots=True)
class PairedPredictions:
    """Two versions' predictions for the same n rows.

    ``weights``, shape (n,), are the numbers of predictions a row stands for; ``clusters``, shape (n,), number what rows
    belong to (an entity, say): those of one cluster may resemble each other. Without, all count the same and stand for
    themselves.
    """

    labels: Values
    champion: Predictions
    challenger: Predictions
    weights: Floats | None = None
    clusters: Values | None = None

    def at(self, chosen: Values) -> "PairedPredictions":
        """Select some of the rows."""
        return PairedPredictions(
            self.labels[chosen],
            self.champion.at(chosen),
            self.challenger.at(chosen),
            None if self.weights is None else self.weights[chosen],
            None if self.clusters is None else self.clusters[chosen],
        )

    def swapped(self) -> "PairedPredictions":
        """Swap the roles: the same rows with the champion as the challenger."""
        return PairedPredictions(self.labels, self.challenger, self.champion, self.weights, self.clusters)

    def advantage(self, metric: Metric) -> float | None:
        """Compute by how much the challenger is better, None where the metric is undefined."""
        champion = self.champion.measure(metric, self.labels, self.weights)
        challenger = self.challenger.measure(metric, self.labels, self.weights)
        if champion is None or challenger is None:
            return None
        return metric.advantage(challenger, champion)


def paired_difference(
    paired: PairedPredictions, metric: Metric, confidence: float, seed: int, resamples: int = RESAMPLES
) -> Difference | None:
    """Compute the difference and its one-sided lower bound by the paired, studentised bootstrap.

    Each cluster of rows moves the difference by its influence (``hindsight.evaluation.influence``),
    in which what makes a row hard for both versions cancels. Clusters are drawn with replacement, and the bound lies
    as many standard errors below the difference as a resample's lies above its own in ``1 - confidence`` of the
    resamples (Efron, 1979; Hall, 1988). Beyond that textbook, everything that would let an equally good challenger
    pass more often than that is paid for:

    - few clusters differ: two more of typical size, one for each version, are added to the variance and to what is
      drawn from (after Bonett and Price, 2012), and the bound is never nearer than that of Student's t with a degree
      of freedom less than the effective number of clusters that differ;
    - few resamples: the quantile is taken where it holds in spite of their own chance.

    None where the metric is undefined, or there are too few rows to say how sure it is.
    """
    estimate = paired.advantage(metric)
    if estimate is None:
        return None
    moves = _influence(paired, metric)
    tail = 1 - confidence
    with np.errstate(over="ignore", invalid="ignore"):
        squares = float(moves @ moves)
    if squares == 0.0:
        # The same everywhere, which of two equal versions so many clusters would all say by chance.
        return Difference(estimate, estimate) if estimate == 0.0 or 0.5 ** len(moves) <= tail else None
    with np.errstate(over="ignore", invalid="ignore"):
        fourth = float(np.square(moves) @ np.square(moves))
    if not np.isfinite(fourth):
        return None
    typical = np.sqrt(fourth / squares)
    students = -float(stdtrit(max(1.0, squares**2 / fourth - 1), tail))
    drawn = _studentised(np.concatenate([moves, [typical, -typical]]), tail, seed, resamples)
    lower = estimate - max(students, drawn) * float(np.sqrt(squares + 2 * typical**2))
    return Difference(estimate, lower) if np.isfinite(lower) else None


def _influence(paired: PairedPredictions, metric: Metric) -> Floats:
    """Compute by how much each cluster moves the difference, shape (clusters,), their mean taken off."""
    with np.errstate(over="ignore", invalid="ignore"):  # the squares of the largest doubles are infinite: undefined
        of_rows = _influence_of_rows(paired, paired.challenger, metric) - _influence_of_rows(
            paired, paired.champion, metric
        )
        better = of_rows if metric.greater_is_better else -of_rows
        moves = better if paired.clusters is None else np.bincount(_codes(paired.clusters), better)
        centred: Floats = moves - moves.mean()
    # What cancels but for rounding is no difference.
    return np.where(np.abs(centred) < 1e-12 * np.abs(of_rows).max(initial=0.0), 0.0, centred)


def _codes(clusters: Values) -> Values:
    _, codes = np.unique(clusters, return_inverse=True)
    return codes


def _influence_of_rows(paired: PairedPredictions, predictions: Predictions, metric: Metric) -> Floats:
    return measure_influence(metric, predictions.labelled(paired.labels, paired.weights)).influence


def _studentised(moves: Floats, tail: float, seed: int, resamples: int) -> float:
    """Compute how many of its own standard errors a resample's sum exceeds in a share ``tail`` of the resamples."""
    wanted = min(_MAX_RESAMPLES, max(resamples, ceil(_RESAMPLES_BEYOND / tail)))
    sums, squares = _draw(moves, np.random.default_rng(seed), wanted)
    variances = np.maximum(squares - sums**2 / len(moves), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(sums == 0, 0.0, sums / np.sqrt(variances))
    surely = tail - _LUCK * float(np.sqrt(tail * (1 - tail) / wanted))
    return float(np.quantile(ratios, min(1.0, 1 - surely), method="inverted_cdf"))


def _draw(moves: Floats, rng: np.random.Generator, resamples: int) -> tuple[Floats, Floats]:
    """Draw resamples: their sums and the sums of their squares, shape (resamples,) each."""
    rows = len(moves)
    distinct, counts = np.unique(moves, return_counts=True)
    if len(distinct) <= _MAX_CELLS:
        # A resample's counts in the cells are one multinomial draw: the same distribution, for any number of rows.
        cells = rng.multinomial(rows, counts / rows, size=resamples)
        return cells @ distinct, cells @ distinct**2
    sums, squares = np.empty(resamples), np.empty(resamples)
    for resample in range(resamples):
        drawn = moves[rng.integers(rows, size=rows)]
        sums[resample], squares[resample] = drawn.sum(), drawn @ drawn
    return sums, squares
