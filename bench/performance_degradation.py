"""The rate of false alarms of the test of live performance, and its delay by the distance of a fall below the line.

The line is the user's: an accuracy of 0.85. A version is evaluated after every label, which is harder than the
product's hourly evaluation. It is compared with a 95 % interval of the newest labels at every evaluation.

``python -m bench.performance_degradation`` writes what docs/statistics.md prints, and draws its plot.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.sequential.betting import Hypothesis, Wealth, bet
from hindsight.evaluation.weighted_estimate import clopper_pearson
from hindsight.monitoring.performance.live_performance import performance_claim
from local.pages import replace_block, table
from local.replay.charts import line_axes, save_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECORD = Path("bench/performance_degradation.json")
PLOT = Path("docs/performance-delays.png")
PAGE = Path("docs/performance.md")
SEED = 1
RUNS = 1_000
GOOD, LINE, CONFIDENCE = 0.90, 0.85, 0.95
LABELS_A_YEAR = 20_000
BUSY_LABELS_A_YEAR = 200_000
STEADY = (0.90, 0.86, 0.85)
DISTANCES = {0.01: 80_000, 0.02: 20_000, 0.03: 10_000, 0.05: 4_000, 0.10: 1_500, 0.20: 500}
"""Falls below the line, each with the labels after which one counts as not found."""
GOOD_LABELS = (0, 1_000, 5_000, 50_000)
WINDOW, LOOK_EVERY = 500, 5
AUDITS = (0.1, 0.02, 0.005)
REVIEWED_A_YEAR, HARD, HARD_ACCURACY = 5_000, 0.1, 0.5


def measure() -> dict[str, Any]:
    """Measure the rates of alarms by accuracy, and the labels until a fall is found by its distance."""
    delays = {
        str(good): {str(distance): measure_delay(distance, good) for distance in DISTANCES} for good in GOOD_LABELS
    }
    return {
        "alarms_in_a_year_by_accuracy": {str(share): _alarm_rate(share, LABELS_A_YEAR, RUNS) for share in STEADY},
        "alarms_in_a_busy_year_on_the_line": _alarm_rate(LINE, BUSY_LABELS_A_YEAR, RUNS),
        "alarms_in_a_reviewed_year_on_the_line_by_audit": {str(audit): _reviewed_alarm_rate(audit) for audit in AUDITS},
        "alarms_of_an_interval_at_every_look_by_accuracy": {
            str(share): _interval_alarm_rate(share) for share in (GOOD, LINE)
        },
        "suspect_checks_by_accuracy": {
            f"{share:.2f}": _suspect_rate(share) for share in (*STEADY, *(LINE - one for one in DISTANCES))
        },
        "labels_until_found_by_good_labels_and_distance": delays,
        "reviewed_labels_a_year": REVIEWED_A_YEAR,
        "good": GOOD,
        "line": LINE,
        "confidence": CONFIDENCE,
        "window": WINDOW,
        "labels_a_year": LABELS_A_YEAR,
        "busy_labels_a_year": BUSY_LABELS_A_YEAR,
        "runs": RUNS,
        "seed": SEED,
    }


def measure_delay(distance: float, good: int, runs: int = RUNS) -> dict[str, float | None]:
    """Measure the labels until a fall by ``distance`` below the line is found, after so many good ones.

    A quantile is None where so many are not found in time.
    """
    patience = DISTANCES[distance]
    found = first_alarms(np.r_[np.full(good, GOOD), np.full(patience, LINE - distance)], runs, SEED)
    delays = np.where(found > good + patience, np.inf, found - good)[found > good]
    median, ninth = (float(np.quantile(delays, share, method="inverted_cdf")) for share in (0.5, 0.9))
    return {
        "median": median if np.isfinite(median) else None,
        "ninth_decile": ninth if np.isfinite(ninth) else None,
        "found": float(np.isfinite(delays).mean()),
        "alarmed_before": float((found <= good).mean()),
    }


def first_alarms(shares: npt.NDArray[np.float64], runs: int, seed: int) -> npt.NDArray[np.int64]:
    """Find by run the label, counted from 1, at which the fall is significant; one beyond the last if never.

    ``shares``, shape (labels,), is the true accuracy at each label.
    """
    rng, (hypothesis, wealth) = np.random.default_rng(seed), _begin(runs)
    found = np.full(runs, len(shares) + 1, dtype=np.int64)
    for position, share in enumerate(shares, start=1):
        wealth = bet(wealth, hypothesis, (rng.random(runs) < share).astype(np.float64))
        is_significant = wealth.evidence * (1 - CONFIDENCE) >= 1
        found[is_significant & (found > position)] = position
        if position % 100 == 0 and (found <= position).all():
            break
    return found


def _begin(runs: int, heaviest: float = 1.0) -> tuple[Hypothesis, Wealth]:
    """Begin the product's test of the line, many times at once."""
    claim = performance_claim("v1", Metric.ACCURACY, Task.BINARY, LINE)
    if claim is None:
        raise ValueError("accuracy has a test")
    return claim.hypothesis, replace(Wealth.at_start(claim.hypothesis, (runs,), heaviest), starts=claim.policy.starts)


def _alarm_rate(share: float, labels: int, runs: int) -> float:
    return float((first_alarms(np.full(labels, share), runs, SEED) <= labels).mean())


def _reviewed_alarm_rate(audit: float) -> float:
    """Measure the rate of alarms in a year of reviewed labels: hard rows are all reviewed, the others at ``audit``.

    The accuracy over all predictions is the line's; on the reviewed ones it is far lower, which their weights correct.
    """
    others = (LINE - HARD * HARD_ACCURACY) / (1 - HARD)
    hard_among_reviewed = HARD / (HARD + (1 - HARD) * audit)
    rng, (hypothesis, wealth) = np.random.default_rng(SEED), _begin(RUNS, 1 / audit)
    alarmed = np.zeros(RUNS, dtype=bool)
    for _ in range(REVIEWED_A_YEAR):
        is_hard = rng.random(RUNS) < hard_among_reviewed
        right = rng.random(RUNS) < np.where(is_hard, HARD_ACCURACY, others)
        weights = np.where(is_hard, 1.0, 1 / audit)
        wealth = bet(wealth, hypothesis, right.astype(np.float64), weights)
        alarmed |= wealth.evidence * (1 - CONFIDENCE) >= 1
    return float(alarmed.mean())


def _suspect_rate(share: float) -> float:
    """Measure the rate of checks whose window has a value below the line."""
    right = np.random.default_rng(SEED).binomial(WINDOW, share, 100 * RUNS)
    return float((right / WINDOW < LINE).mean())


def _interval_alarm_rate(share: float) -> float:
    """Measure the rate of years in which the upper bound of the newest labels is ever below the line."""
    rng, alarms = np.random.default_rng(SEED), 0
    for _ in range(RUNS // 5):
        right = np.cumsum(rng.random(LABELS_A_YEAR) < share)
        counts: npt.NDArray[np.int64] = (right[WINDOW:] - right[:-WINDOW])[::LOOK_EVERY]
        alarms += clopper_pearson(counts.min() / WINDOW, WINDOW, 1 - CONFIDENCE)[1] < LINE
    return alarms / (RUNS // 5)


def plot_delays(figures: dict[str, Any]) -> "Figure":
    """Draw the labels until a fall is found by its distance below the line, a line for each number of good labels."""
    figure, axes = line_axes("labels until found, median")
    for good, by_distance in figures["labels_until_found_by_good_labels_and_distance"].items():
        known = [(float(distance), one["median"]) for distance, one in by_distance.items() if one["median"] is not None]
        axes.plot(*zip(*known, strict=True), marker="o", label=f"after {int(good):,} good labels")
    axes.set(xscale="log", yscale="log", xlabel=f"distance below the line ({figures['line']})")
    axes.set_xticks([*DISTANCES], [f"{distance:.2f}" for distance in DISTANCES])
    axes.minorticks_off()
    axes.legend(frameon=False)
    return figure


def delay_table(figures: dict[str, Any]) -> str:
    """Write the table of delays by distance."""
    delays = figures["labels_until_found_by_good_labels_and_distance"]
    head = ("distance below the line", *(f"after {int(good):,} good labels" for good in delays))
    rows = [
        (f"{distance:.2f}", *(_cell(by_distance[str(distance)]) for by_distance in delays.values()))
        for distance in DISTANCES
    ]
    return table(head, rows)


def _cell(found: dict[str, float | None]) -> str:
    median, ninth = (f"{found[name]:,.0f}" if found[name] is not None else "–" for name in ("median", "ninth_decile"))
    return f"{median} ({ninth})"


def record() -> dict[str, Any]:
    """Measure, keep the figures that the documentation is compared with, and write its table and plot."""
    figures = measure()
    RECORD.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    save_png(plot_delays(figures), PLOT)
    PAGE.write_text(replace_block(PAGE.read_text(encoding="utf-8"), "delays", delay_table(figures)), encoding="utf-8")
    return figures


if __name__ == "__main__":
    record()
