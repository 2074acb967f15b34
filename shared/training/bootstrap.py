"""How sure a difference between two versions on the same rows is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.configuration.metrics import Metric
from shared.training.scoring import Answers

RESAMPLES = 2_000

Values = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

# These read labels and decisions only, so that rows that agree in all three are one cell of a table.
_READS_DECISIONS_ONLY = frozenset(
    {Metric.ACCURACY, Metric.BALANCED_ACCURACY, Metric.F1, Metric.PRECISION, Metric.RECALL}
)


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the challenger is, positive for better whatever the metric; ``lower`` bounds it from below."""

    estimate: float
    lower: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Two versions' answers to the same n rows."""

    labels: Values
    champion: Answers
    challenger: Answers

    def at(self, chosen: Values) -> "Paired":
        """Return some of the rows."""
        return Paired(self.labels[chosen], self.champion.at(chosen), self.challenger.at(chosen))

    def advantage(self, metric: Metric, weights: Values | None = None) -> float | None:
        """Return by how much the challenger is better on (weighted) rows, None where the metric is undefined."""
        champion = self.champion.measure(metric, self.labels, weights)
        challenger = self.challenger.measure(metric, self.labels, weights)
        if champion is None or challenger is None:
            return None
        return challenger - champion if metric.greater_is_better else champion - challenger


def paired_difference(
    paired: Paired, metric: Metric, confidence: float, seed: int, resamples: int = RESAMPLES
) -> Difference | None:
    """Return the difference and its one-sided lower bound by the paired percentile bootstrap (Efron 1979).

    Rows are drawn with replacement, the same ones for both versions, so that what makes a row hard for both cancels.
    Of two equally good versions the bound of about ``1 - confidence`` of the challengers lies above zero. Rows are
    taken to be independent. None where the metric is undefined, or is so in more than a tenth of the resamples.
    """
    estimate = paired.advantage(metric)
    if estimate is None:
        return None
    rng = np.random.default_rng(seed)
    cells, draw = _resampler(paired, metric, rng)
    drawn = [cells.advantage(metric, draw()) for _ in range(resamples)]
    defined = np.array([difference for difference in drawn if difference is not None])
    if len(defined) < 0.9 * resamples:
        return None
    return Difference(estimate, float(np.quantile(defined, 1 - confidence)))


def _resampler(paired: Paired, metric: Metric, rng: np.random.Generator) -> tuple[Paired, Callable[[], Values]]:
    """Return the rows to weigh and a function that draws how often each occurs in a resample."""
    rows = len(paired.labels)
    if metric not in _READS_DECISIONS_ONLY:
        return paired, lambda: np.bincount(rng.integers(rows, size=rows), minlength=rows)
    cell = np.zeros(rows, dtype=np.intp)
    for values in (paired.labels, paired.champion.decisions, paired.challenger.decisions):
        distinct, codes = np.unique(values, return_inverse=True)
        cell = cell * len(distinct) + codes
    _, first, counts = np.unique(cell, return_index=True, return_counts=True)
    # A resample's counts in the cells are one multinomial draw: the same distribution, whatever the number of rows.
    return paired.at(first), lambda: rng.multinomial(rows, counts / rows)
