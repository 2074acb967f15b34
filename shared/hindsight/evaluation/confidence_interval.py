"""Confidence bounds of a measured metric, each of which holds at its own confidence."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from hindsight.config.metrics import Metric
from hindsight.evaluation.influence import SHARES, MetricInfluence, measure_influence
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.weighted_estimate import clopper_pearson

_LARGEST = 1e300


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A metric on n labels with its bounds; None where it is undefined or has no bounds.

    ``effective_rows`` is the number of equally weighted labels with as much information (Kish, 1965).
    """

    labels: int
    effective_rows: float = 0.0
    value: float | None = None
    lower: float | None = None
    upper: float | None = None


def estimate(predictions: LabelledPredictions, metric: Metric, confidence: float) -> Estimate:
    """Measure a metric with a lower and an upper bound that each hold at ``confidence``.

    The variance is that of the linearised metric. A share of hits (accuracy, F1, ROC AUC …) has the bounds of Clopper
    and Pearson (1934) for the number of rows of which a share would have that variance, as in ``weighted_estimate``;
    a loss those of Student's t on its logarithm, and none from fewer than two effective rows.
    """
    value, effective = predictions.measure(metric), predictions.effective_rows
    if value is None:
        return Estimate(labels=len(predictions), effective_rows=effective)
    with np.errstate(over="ignore", invalid="ignore"):  # the largest doubles have no squares, and no bounds then
        lower, upper = bounds(metric, value, measure_influence(metric, predictions), effective, 1 - confidence)
    return Estimate(labels=len(predictions), effective_rows=effective, value=value, lower=lower, upper=upper)


def bounds(
    metric: Metric, value: float, linear: MetricInfluence, effective: float, tail: float, *, more_variance: float = 0.0
) -> tuple[float | None, float | None]:
    """Compute a metric's bounds, each of which fails in a share ``tail`` of all samples.

    ``effective`` is the effective number of rows, ``more_variance`` the variance of the value from other sources.
    """
    variance = linear.variance + more_variance
    if metric in SHARES:
        spread = linear.value * (1 - linear.value)
        rows = max(1.0, spread / variance - linear.steadying_rows) if variance > 0 else max(1.0, effective)
        return clopper_pearson(value, min(rows, effective) if metric is Metric.ROC_AUC else rows, tail)
    if effective < 2 or not np.isfinite(variance):
        return None, None
    if metric is Metric.R2:
        least, most = _around(1 - value, variance, effective, tail)
        return 1 - most, 1 - least
    low, high = metric.bounds
    least, most = _around(value, variance, effective, tail)
    return max(low, least), min(high, most)


def _around(loss: float, variance: float, effective: float, tail: float) -> tuple[float, float]:
    """Compute the bounds of a loss, which is positive and skewed to the right: on its logarithm."""
    if loss <= 0:
        return loss, loss
    deviation = float(np.sqrt(variance * effective / (effective - 1))) / loss
    # Below a confidence of one half a bound would lie beyond the loss itself.
    reach = max(0.0, float(-stdtrit(effective - 1, tail))) * deviation
    return loss * float(np.exp(-reach)), min(_LARGEST, loss * float(np.exp(min(reach, 600.0))))
