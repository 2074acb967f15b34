"""The bias and coverage of evaluations on reviewed rows: ``python -m bench.weighted_coverage``.

Many simulated streams of predictions, whose outcomes are all known, pass through the product's selection; the accuracy
of all rows is then estimated from the reviewed ones, weighted and not. Active learning reviews what the model is unsure
of, and so wrong about: without weights the estimate is far too low.
"""

import argparse
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.review_stream import ReviewStream
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.entities.prediction import Prediction
from hindsight.evaluation.weighted_estimate import weighted_estimate

START = datetime(2026, 3, 2, tzinfo=UTC)
FEATURES = ("amount", "age", "distance", "load")
SEGMENTS = "abcde"
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One kind of stream, and how its rows are reviewed."""

    name: str
    rows_per_day: int
    days: int
    uncertain_per_day: int
    random_rate: float
    strategy: str = "margin"
    diversity: float = 0.3
    sharpness: float = 2.0

    @property
    def configuration(self) -> ModelConfiguration:
        """The model's configuration."""
        return parse_configuration(
            {
                "model": "simulated",
                "task": "binary",
                "features": {
                    **{name: {"type": "numeric"} for name in FEATURES},
                    "segment": {"type": "categorical"},
                },
                "labels": {"rules": [{"event": "annotation", "kind": "manual"}]},
                "review": {
                    "random_rate": self.random_rate,
                    "uncertain_per_day": self.uncertain_per_day,
                    "strategy": self.strategy,
                    "diversity": self.diversity,
                },
            }
        )


SETTINGS = (
    Setting(name="audit and active learning", rows_per_day=1000, days=5, uncertain_per_day=30, random_rate=0.02),
    Setting(
        name="a nearly perfect model", rows_per_day=1000, days=5, uncertain_per_day=30, random_rate=0.02, sharpness=6.0
    ),
    Setting(
        name="no diversity, entropy",
        rows_per_day=1000,
        days=5,
        uncertain_per_day=30,
        random_rate=0.02,
        strategy="entropy",
        diversity=0.0,
    ),
    Setting(name="active learning alone", rows_per_day=1000, days=5, uncertain_per_day=50, random_rate=0.0),
    Setting(name="few rows", rows_per_day=300, days=3, uncertain_per_day=10, random_rate=0.05),
)


@dataclass(frozen=True, slots=True)
class Run:
    """The true accuracy of a stream, and whether each interval held it."""

    truth: float
    reviewed: int
    weighted: float
    unweighted: float
    weighted_holds: bool
    unweighted_holds: bool
    width: float


def simulate(setting: Setting, seed: int) -> tuple[list[list[Prediction]], dict[str, bool]]:
    """Simulate a stream in batches, and for every prediction whether it was right."""
    dice = random.Random(seed)
    received = sorted(START + timedelta(days=day, hours=_hour(dice)) for day, _ in _rows(setting))
    predictions, right = [], {}
    for index, moment in enumerate(received):
        numbers = {name: dice.gauss(0, 1) for name in FEATURES}
        segment = dice.choice(SEGMENTS)
        signal = numbers["amount"] + 0.6 * numbers["age"] - 0.4 * numbers["distance"] * numbers["load"]
        seen = signal + (0.8 if segment == "a" else 0.0)  # the model misjudges one segment
        score = _logistic(setting.sharpness * seen)
        outcome = dice.random() < _logistic(setting.sharpness * 1.5 * signal)
        decision = int(score >= 0.5)
        name = f"{seed}-{index}"
        right[name] = decision == outcome
        predictions.append(
            Prediction(
                model="simulated",
                prediction_id=name,
                features={**numbers, "segment": segment},
                score=score,
                decision=decision,
                model_version="v1",
                occurred_at=moment,
                received_at=moment,
                outcome_due_at=moment,
                body_digest="",
            )
        )
    return list(_batches(predictions, dice)), right


def run(setting: Setting, seed: int) -> Run:
    """Evaluate one stream."""
    batches, right = simulate(setting, seed)
    sampled = ReviewStream(setting.configuration).sample(batches)
    values = [float(right[sample.key.prediction_id]) for sample in sampled]
    probabilities = [sample.selection_probability for sample in sampled]
    weighted = weighted_estimate(values, probabilities, CONFIDENCE)
    unweighted = weighted_estimate(values, [1.0] * len(values), CONFIDENCE)
    truth = fmean(right.values())
    return Run(
        truth=truth,
        reviewed=len(sampled),
        weighted=weighted.value if weighted.value is not None else math.nan,
        unweighted=unweighted.value if unweighted.value is not None else math.nan,
        weighted_holds=weighted.lower <= truth <= weighted.upper,
        unweighted_holds=unweighted.lower <= truth <= unweighted.upper,
        width=weighted.upper - weighted.lower,
    )


def measure(runs: int = 200, first_seed: int = 1, settings: Sequence[Setting] = SETTINGS) -> dict[str, Any]:
    """Measure the share of runs whose interval held the truth, over the first setting, and over each.

    ``weighted_coverage`` must be near the nominal ``confidence`` or above; ``unweighted_coverage`` shows what weights
    are for.
    """
    found = {setting.name: _summary(setting, range(first_seed, first_seed + runs)) for setting in settings}
    return {
        **found[settings[0].name],
        "confidence": CONFIDENCE,
        "runs": runs,
        "first_seed": first_seed,
        "settings": found,
    }


def _summary(setting: Setting, seeds: Sequence[int]) -> dict[str, Any]:
    runs = [run(setting, seed) for seed in seeds]
    return {
        "weighted_coverage": fmean(found.weighted_holds for found in runs),
        "unweighted_coverage": fmean(found.unweighted_holds for found in runs),
        "weighted_bias": fmean(found.weighted - found.truth for found in runs),
        "unweighted_bias": fmean(found.unweighted - found.truth for found in runs),
        "mean_width": fmean(found.width for found in runs),
        "accuracy": fmean(found.truth for found in runs),
        "rows": setting.rows_per_day * setting.days,
        "reviewed": fmean(found.reviewed for found in runs),
    }


def _rows(setting: Setting) -> Iterator[tuple[int, int]]:
    for day in range(setting.days):
        yield from ((day, row) for row in range(setting.rows_per_day))


def _hour(dice: random.Random) -> float:
    """Draw a time of day: the afternoon is busier than the night."""
    return min(23.99, max(0.0, dice.triangular(0, 24, 15)))


def _batches(predictions: Sequence[Prediction], dice: random.Random) -> Iterator[list[Prediction]]:
    start = 0
    while start < len(predictions):
        size = dice.choice((1, 5, 20, 80, 250))
        yield list(predictions[start : start + size])
        start += size


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, value))))


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Coverage of weighted estimates on reviewed rows.")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=1)
    arguments = parser.parse_args()
    found = measure(arguments.runs, arguments.first_seed)
    table = Table(title=f"Coverage of {CONFIDENCE:.0%} intervals, {arguments.runs} streams each")
    for heading in ("stream", "rows", "reviewed", "accuracy", "weighted", "bias", "width", "unweighted", "bias"):
        table.add_column(heading, justify="left" if heading == "stream" else "right")
    for name, row in found["settings"].items():
        table.add_row(
            name,
            f"{row['rows']}",
            f"{row['reviewed']:.0f}",
            f"{row['accuracy']:.3f}",
            f"{row['weighted_coverage']:.3f}",
            f"{row['weighted_bias']:+.4f}",
            f"{row['mean_width']:.3f}",
            f"{row['unweighted_coverage']:.3f}",
            f"{row['unweighted_bias']:+.4f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
