"""Calibration of scores: their distance from the probabilities that they are taken for."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.confidence_interval import estimate
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.metrics import Floats, Values

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Predictions with about the same score: its mean, and the share that turned out as scored, with its bounds."""

    labels: int
    score: float
    observed: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The expected calibration error (Naeini et al., 2015; Guo et al., 2017) with its bins.

    ``error`` is the mean distance between score and share, bin by bin, as it is commonly given. It is never 0, since
    shares of few labels miss their mark by chance: a perfectly calibrated model would show about ``by_chance`` on as
    many labels (Bröcker and Smith, 2007). ``lower`` and ``upper`` are bounds of the error itself, that part taken off.
    """

    error: float
    lower: float
    upper: float
    by_chance: float
    bins: tuple[ReliabilityBin, ...]


def calibration(predictions: LabelledPredictions, confidence: float) -> Calibration | None:
    """Measure the calibration of scores, None where they are no probabilities or there are no labels.

    Of a binary model the score is compared with the share of positive labels, of a multiclass model, whose score is
    the decided class's, with the share of right decisions. Ten bins hold about equal weights; equal scores share one.
    Bounds each hold at ``confidence``.
    """
    scores = predictions.scores
    if predictions.task is Task.REGRESSION or not len(scores) or not (np.isfinite(scores) & (scores >= 0)).all():
        return None
    if scores.max() > 1:
        return None
    hits = (
        predictions.labels
        if predictions.task is Task.BINARY
        else (predictions.labels == predictions.decisions).astype(np.float64)
    )
    weights = predictions.weights * predictions.counts
    found = list(_bins(scores, hits.astype(np.float64), weights, confidence))
    shares = np.array([one.weight for one in found]) / weights.sum()
    gaps, chances = np.array([one.gap for one in found]), np.array([one.chance for one in found])
    spreads = np.array([one.spread for one in found])
    error = float(shares @ np.abs(gaps))
    expected = _mean_distance(gaps, spreads)
    centre = error - float(shares @ (expected - np.abs(gaps)))
    deviation = float(np.sqrt(shares**2 @ np.maximum(0.0, gaps**2 + spreads**2 - expected**2)))
    deviate = max(0.0, float(ndtri(confidence)))  # below one half bounds would change places
    by_chance = float(shares @ chances) * float(np.sqrt(2 / np.pi))
    most_by_chance = by_chance + deviate * float(np.sqrt((1 - 2 / np.pi) * (shares**2 @ chances**2)))
    return Calibration(
        error=error,
        # What a perfectly calibrated model may show is no sign of an error.
        lower=min(1.0, max(0.0, centre - deviate * deviation)) if error > most_by_chance else 0.0,
        upper=min(1.0, max(0.0, centre + deviate * deviation)),
        by_chance=by_chance,
        bins=tuple(one.reported for one in found),
    )


@dataclass(frozen=True, slots=True)
class _Bin:
    """A bin with its weight, its gap between score and share, and the gap's deviation, measured and by chance alone."""

    reported: ReliabilityBin
    weight: float
    gap: float
    spread: float
    chance: float


def _bins(scores: Floats, hits: Floats, weights: Floats, confidence: float) -> Iterator[_Bin]:
    order = np.argsort(scores, kind="stable")
    before = np.cumsum(weights[order]) - weights[order]
    first = np.searchsorted(scores[order], scores[order], side="left")
    places = np.minimum(BINS - 1, (before[first] * BINS / weights.sum()).astype(np.intp))
    for place in np.unique(places):
        chosen = order[places == place]
        yield _bin(scores[chosen], hits[chosen], weights[chosen], confidence)


def _bin(scores: Floats, hits: Floats, weights: Floats, confidence: float) -> _Bin:
    shares = weights / weights.sum()
    score, gaps = float(shares @ scores), scores - hits
    gap = float(shares @ gaps)
    chance = float(np.sqrt(shares**2 @ (scores * (1 - scores))))
    measured = float(np.sqrt(shares**2 @ (gaps - gap) ** 2))
    observed = estimate(_as_predictions(hits, weights), Metric.ACCURACY, confidence)
    reported = ReliabilityBin(
        labels=len(scores),
        score=score,
        observed=observed.value or 0.0,
        lower=observed.lower or 0.0,
        upper=1.0 if observed.upper is None else observed.upper,
    )
    # Labels that are all the same have no spread to measure; the scores have.
    return _Bin(reported, float(weights.sum()), gap, max(measured, chance), chance)


def _as_predictions(hits: Values, weights: Floats) -> LabelledPredictions:
    ones = np.ones(len(hits))
    return LabelledPredictions(Task.BINARY, hits, ones, ones, weights)


def _mean_distance(gaps: Floats, spreads: Floats) -> Floats:
    """Compute the mean of |x| for normal x: the folded normal distribution's (Leone, Nelson and Nottingham, 1961)."""
    safe = np.where(spreads > 0, spreads, 1.0)
    ratio = gaps / safe
    mean = safe * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + gaps * (1 - 2 * ndtr(-ratio))
    return np.where(spreads > 0, mean, np.abs(gaps))
