"""The lives of versions exactly on their line, or below it, that an estimate of their performance ever calls low.

``python -m bench.estimate_lives`` measures, and keeps what docs/performance.md says. A life has a check a day, each of
a window of its own, at the level that the product spends at that hour. The holdout is small, and the inputs have moved.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench.estimate import CONFIDENCE, HOLDOUT_ROWS, WINDOW_ROWS, configured, draw, learn, profiled
from hindsight.config.metrics import Metric
from hindsight.evaluation.sequential.alpha_spending import level_of
from hindsight.monitoring.estimation.estimated_performance import check_estimate
from hindsight.monitoring.results.check import Verdict

RECORD = Path("bench/estimate_lives.json")
LIVES, DAYS, SHIFT = 100, 20, 0.5
DISTANCES = (0.0, 0.05)
START = datetime(2026, 3, 1, tzinfo=UTC)


def measure() -> dict[str, Any]:
    """Measure the share of lives with an alarm, by the distance of the true accuracy below the line."""
    return {
        "alarms_by_distance": {str(distance): measure_lives(distance, LIVES, DAYS) for distance in DISTANCES},
        "lives": LIVES,
        "days": DAYS,
        "holdout_rows": HOLDOUT_ROWS,
        "window_rows": WINDOW_ROWS,
        "confidence": CONFIDENCE,
    }


def measure_lives(distance: float, lives: int, days: int) -> float:
    """Measure the share of lives in which any check is low."""
    truth = draw(1_000_000, np.random.default_rng(0), shift=SHIFT).measure(Metric.ACCURACY)
    if truth is None:
        raise ValueError("accuracy has a value")
    configuration = configured(min=truth + distance)
    alarmed = 0
    for life in range(lives):
        rng = np.random.default_rng((1, life))
        estimator = learn(draw(HOLDOUT_ROWS, rng))
        for day in range(1, days + 1):
            level = level_of(1 - CONFIDENCE, START, START + day * timedelta(days=1))
            window = profiled(draw(WINDOW_ROWS, rng, shift=SHIFT), configuration)
            if check_estimate(window, estimator, configuration, level=level, gate_value=None).verdict is Verdict.LOW:
                alarmed += 1
                break
    return alarmed / lives


def record() -> dict[str, Any]:
    """Measure, and keep the figures that the documentation is compared with."""
    figures = measure()
    RECORD.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return figures


if __name__ == "__main__":
    record()
