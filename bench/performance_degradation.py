"""The rate of false alarms of the test of live performance in a year, and its delay in finding a degradation.

A version proved 0.90 at the gate and may fall to 0.85. It is evaluated after every label, which is harder than the
product's hourly evaluation. It is compared with a 95 % interval of the newest labels at every evaluation.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.sequential.betting import Wealth, bet
from hindsight.evaluation.sequential.observation import Scale
from hindsight.evaluation.weighted_estimate import clopper_pearson

SEED = 1
RUNS = 1_000
GATE, LIMIT, DEGRADED, CONFIDENCE = 0.90, 0.85, 0.80, 0.95
LABELS_A_YEAR = 20_000
BUSY_LABELS_A_YEAR = 200_000
STEADY = (0.90, 0.89, 0.88, 0.875, 0.87, 0.86, 0.85)
GOOD_LABELS = (0, 1_000, 5_000)
LONG_LIVES = (10_000, 50_000)
PATIENCE = 3_000
WINDOW, LOOK_EVERY = 500, 5
AUDITS = (0.1, 0.02, 0.005)
REVIEWED_A_YEAR, HARD, HARD_ACCURACY = 5_000, 0.1, 0.5

SCALE = Scale(Metric.ACCURACY, Task.BINARY, null=(GATE + LIMIT) / 2, limit=LIMIT)


def measure() -> dict[str, Any]:
    """Measure the rates of false alarms by accuracy, and the labels until a degradation is found."""
    steady = {str(share): _alarm_rate(share, LABELS_A_YEAR, RUNS) for share in STEADY}
    degradations = {str(good): _detection(good) for good in (*GOOD_LABELS, *LONG_LIVES)}
    return {
        "performance_false_alarm_rate": steady[str(SCALE.null)],
        "performance_detection_labels_median": max(degradations[str(good)]["median"] for good in GOOD_LABELS),
        "alarm_rate_in_a_year_by_accuracy": steady,
        "alarm_rate_in_a_busy_year_at_the_null": _alarm_rate(SCALE.null, BUSY_LABELS_A_YEAR, RUNS),
        "alarm_rate_of_an_interval_at_every_look_by_accuracy": {
            str(share): _interval_alarm_rate(share) for share in (GATE, SCALE.null, LIMIT)
        },
        "labels_until_found_by_good_labels_before": degradations,
        "alarm_rate_in_a_reviewed_year_at_the_null_by_audit_share": {
            str(audit): _reviewed_alarm_rate(audit) for audit in AUDITS
        },
        "reviewed_labels_a_year": REVIEWED_A_YEAR,
        "gate": GATE,
        "limit": LIMIT,
        "null": SCALE.null,
        "degraded_to": DEGRADED,
        "confidence": CONFIDENCE,
        "labels_a_year": LABELS_A_YEAR,
        "busy_labels_a_year": BUSY_LABELS_A_YEAR,
        "runs": RUNS,
        "seed": SEED,
    }


def first_alarms(shares: npt.NDArray[np.float64], runs: int, seed: int) -> npt.NDArray[np.int64]:
    """Find by run the label, counted from 1, at which the degradation is significant; one beyond the last if never.

    ``shares``, shape (labels,), is the true accuracy at each label.
    """
    rng, wealth = np.random.default_rng(seed), Wealth.at_start(SCALE.hypothesis, (runs,))
    found = np.full(runs, len(shares) + 1, dtype=np.int64)
    for position, share in enumerate(shares, start=1):
        wealth = bet(wealth, SCALE.hypothesis, (rng.random(runs) < share).astype(np.float64))
        is_significant = wealth.evidence * (1 - CONFIDENCE) >= 1
        found[is_significant & (found > position)] = position
    return found


def _alarm_rate(share: float, labels: int, runs: int) -> float:
    return float((first_alarms(np.full(labels, share), runs, SEED) <= labels).mean())


def _detection(good: int) -> dict[str, float]:
    found = first_alarms(np.r_[np.full(good, GATE), np.full(PATIENCE, DEGRADED)], RUNS, SEED)
    delays = found[found > good] - good
    return {
        "median": float(np.median(delays)),
        "ninth_decile": float(np.quantile(delays, 0.9)),
        "alarmed_before": float((found <= good).mean()),
    }


def _reviewed_alarm_rate(audit: float) -> float:
    """Measure the rate of alarms in a year of reviewed labels: hard rows are all reviewed, the others at ``audit``.

    The accuracy over all predictions is the null's; on the reviewed ones it is far lower, which their weights correct.
    """
    others = (SCALE.null - HARD * HARD_ACCURACY) / (1 - HARD)
    hard_among_reviewed = HARD / (HARD + (1 - HARD) * audit)
    rng, wealth = np.random.default_rng(SEED), Wealth.at_start(SCALE.hypothesis, (RUNS,), heaviest=1 / audit)
    alarmed = np.zeros(RUNS, dtype=bool)
    for _ in range(REVIEWED_A_YEAR):
        is_hard = rng.random(RUNS) < hard_among_reviewed
        right = rng.random(RUNS) < np.where(is_hard, HARD_ACCURACY, others)
        weights = np.where(is_hard, 1.0, 1 / audit)
        wealth = bet(wealth, SCALE.hypothesis, right.astype(np.float64), weights)
        alarmed |= wealth.evidence * (1 - CONFIDENCE) >= 1
    return float(alarmed.mean())


def _interval_alarm_rate(share: float) -> float:
    """Measure the rate of years in which the upper bound of the newest labels is ever below the limit."""
    rng, alarms = np.random.default_rng(SEED), 0
    for _ in range(RUNS // 5):
        right = np.cumsum(rng.random(LABELS_A_YEAR) < share)
        counts: npt.NDArray[np.int64] = (right[WINDOW:] - right[:-WINDOW])[::LOOK_EVERY]
        alarms += clopper_pearson(counts.min() / WINDOW, WINDOW, 1 - CONFIDENCE)[1] < LIMIT
    return alarms / (RUNS // 5)
