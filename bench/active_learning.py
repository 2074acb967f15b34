"""Labels needed by uncertainty sampling and by random sampling: ``python -m bench.active_learning --plot``.

A year of bike rentals comes in a shuffled order, so many rows a day. A model scores a day's rows, the product's
selection samples the day's budget of them, and the model is trained again on all rows labelled so far, by the product's
own pipeline. The random arm passes through the same code with the same budget: its rows all look equally uncertain.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table

from bench.review_stream import ReviewStream
from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.config.review import ReviewStrategy
from hindsight.config.training import Candidate
from hindsight.entities.prediction import Prediction
from hindsight.registry.schema import Schema
from hindsight.training.models.candidates import build, fit
from hindsight.training.models.frame import to_frame
from local.replay.demo import SPEC, prepare_bikeshare
from local.replay.spec import load_spec
from local.replay.stream import Row, read_stream

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATA = Path("build/demo/ISLP/data/Bikeshare.csv")
PLOT = Path("docs/active-learning.png")
THRESHOLD = 100
HELD_OUT = 2000
FIRST_LABELS = 40
ROWS_A_DAY = 220
BUDGET_A_DAY = 12
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
RANDOM = "random"

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to sample."""

    name: str
    strategy: ReviewStrategy | None
    diversity: float

    def configure(self, configuration: ModelConfiguration, budget: int) -> ModelConfiguration:
        """Build a configuration that samples this way."""
        review = configuration.review.model_copy(
            update={
                "random_rate": 0.0,
                "uncertain_per_day": budget,
                "strategy": self.strategy or ReviewStrategy.MARGIN,
                "diversity": self.diversity,
            }
        )
        return configuration.model_copy(update={"review": review})


ARMS = (
    Arm(RANDOM, None, 0.0),
    *(Arm(strategy.value, strategy, 0.3) for strategy in ReviewStrategy),
    Arm("margin, no diversity", ReviewStrategy.MARGIN, 0.0),
)


@dataclass(frozen=True, slots=True)
class Rentals:
    """The rows with their features as columns and their labels."""

    configuration: ModelConfiguration
    rows: Sequence[Row]
    frame: pd.DataFrame
    labels: npt.NDArray[np.int64]
    schema: Schema

    @classmethod
    def read(cls, path: Path) -> "Rentals":
        """Read the package's table."""
        spec, configuration = load_spec(SPEC)
        with TemporaryDirectory() as folder:
            prepared = Path(folder) / "rows.csv"
            prepare_bikeshare(path, prepared)
            rows = read_stream(prepared, spec, configuration).rows
        kinds = {name: feature.type for name, feature in configuration.features.items()}
        schema = Schema(
            model=configuration.model, version="bench", task=Task.BINARY, metric=Metric.ACCURACY, features=kinds
        )
        labels = np.array([float(row.outcome or 0) > THRESHOLD for row in rows], dtype=np.int64)
        return cls(configuration, rows, to_frame([row.features for row in rows], kinds), labels, schema)

    def train(self, chosen: Indices, candidate: Candidate) -> Any:
        """Train a pipeline on some rows."""
        frame = self.frame.iloc[chosen].reset_index(drop=True)
        return fit(build(candidate, self.schema, frame, seed=0), frame, self.labels[chosen])

    def scores(self, pipeline: Any, chosen: Indices) -> npt.NDArray[np.float64]:
        """Predict the probability of the positive class."""
        column = list(pipeline.classes_).index(1)
        found: npt.NDArray[np.float64] = pipeline.predict_proba(self.frame.iloc[chosen])[:, column]
        return found


def learn(rentals: Rentals, arm: Arm, seed: int, candidate: Candidate) -> list[tuple[int, float]]:
    """Measure labels spent and accuracy on the rows held out, before the first day and after each."""
    order = np.random.default_rng(seed).permutation(len(rentals.rows))
    held_out, labelled, pool = np.split(order, [HELD_OUT, HELD_OUT + FIRST_LABELS])
    stream = ReviewStream(arm.configure(rentals.configuration, BUDGET_A_DAY))
    curve = list[tuple[int, float]]()
    for day in range(len(pool) // ROWS_A_DAY + 1):
        pipeline = rentals.train(labelled, candidate)
        right = (rentals.scores(pipeline, held_out) >= 0.5) == rentals.labels[held_out]
        curve.append((len(labelled), float(right.mean())))
        today = pool[day * ROWS_A_DAY : (day + 1) * ROWS_A_DAY]
        if len(today) == ROWS_A_DAY:
            scores = np.full(len(today), 0.5) if arm.strategy is None else rentals.scores(pipeline, today)
            batch = [_prediction(rentals, index, score, seed, day) for index, score in zip(today, scores, strict=True)]
            sampled = stream.sample([batch])
            rows = [int(sample.key.prediction_id.split("-")[1]) for sample in sampled]
            labelled = np.concatenate([labelled, np.array(rows, dtype=np.int64)])
    return curve


def measure(
    seeds: int = 10,
    first_seed: int = 1,
    data: Path = DATA,
    candidate: Candidate = Candidate.LOGISTIC_REGRESSION,
    arms: Sequence[Arm] = ARMS,
) -> dict[str, Any]:
    """Measure each strategy's accuracy by labels spent, mean and spread over seeds.

    ``area`` is the mean accuracy over the whole curve; ``labels_needed`` how many labels it took to be as accurate as
    random samples are with the whole budget (None if never); ``wins`` the share of seeds with more area than random.
    """
    rentals = Rentals.read(data)
    curves = {
        arm.name: [learn(rentals, arm, seed, candidate) for seed in range(first_seed, first_seed + seeds)]
        for arm in arms
    }
    labels = [spent for spent, _ in curves[RANDOM][0]]
    accuracy = {name: np.array([[value for _, value in curve] for curve in found]) for name, found in curves.items()}
    goal = float(accuracy[RANDOM].mean(axis=0)[-1])
    return {
        "seeds": seeds,
        "first_seed": first_seed,
        "candidate": candidate.value,
        "rows": len(rentals.rows),
        "held_out": HELD_OUT,
        "rows_a_day": ROWS_A_DAY,
        "budget_a_day": BUDGET_A_DAY,
        "goal": goal,
        "strategies": {
            name: {
                "labels": labels,
                "accuracy": values.mean(axis=0).tolist(),
                "spread": values.std(axis=0, ddof=1).tolist() if seeds > 1 else [0.0] * len(labels),
                "area": float(values.mean()),
                "final": float(values[:, -1].mean()),
                "labels_needed": _labels_needed(labels, values.mean(axis=0), goal),
                "wins": float((values.mean(axis=1) > accuracy[RANDOM].mean(axis=1)).mean()),
            }
            for name, values in accuracy.items()
        },
    }


def plot(found: dict[str, Any]) -> "Figure":
    """Plot accuracy by labels spent, a line a strategy and a band of a standard deviation over seeds."""
    from matplotlib import pyplot as plt  # noqa: PLC0415  only who plots waits for it

    figure, axes = plt.subplots(figsize=(9, 4.6), layout="constrained")
    for name, label, color, style in (
        ("margin", "margin = least confidence", "#0b6e4f", "-"),
        ("entropy", "entropy", "#3b6fb6", "-"),
        ("margin, no diversity", "margin without diversity", "#d9822b", "--"),
        (RANDOM, "random", "#8a8f98", "-"),
    ):
        curve = found["strategies"][name]
        labels, accuracy, spread = (np.array(curve[key]) for key in ("labels", "accuracy", "spread"))
        axes.plot(labels, 100 * accuracy, style, color=color, label=label, linewidth=2)
        if name in {"margin", RANDOM}:
            axes.fill_between(
                labels, 100 * (accuracy - spread), 100 * (accuracy + spread), color=color, alpha=0.15, linewidth=0
            )
    axes.axhline(100 * found["goal"], color="#8a8f98", linewidth=1, linestyle=":")
    axes.annotate(
        "what random samples reach",
        (found["strategies"][RANDOM]["labels"][0], 100 * found["goal"]),
        xytext=(6, 4),
        textcoords="offset points",
        color="#6b7280",
        fontsize=9,
    )
    axes.set_xlabel("labels spent")
    axes.set_ylabel("accuracy on rows held out, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlim(found["strategies"][RANDOM]["labels"][0], found["strategies"][RANDOM]["labels"][-1])
    figure.legend(loc="outside upper left", ncols=4, frameon=False)
    return figure


def _prediction(rentals: Rentals, index: int, score: float, seed: int, day: int) -> Prediction:
    moment = START + timedelta(days=day)
    return Prediction(
        model=rentals.configuration.model,
        prediction_id=f"{seed}-{index}",
        features=rentals.rows[index].features,
        score=float(score),
        decision=int(score >= 0.5),
        model_version="bench",
        occurred_at=moment,
        received_at=moment,
        outcome_due_at=moment,
        body_digest="",
    )


def _labels_needed(labels: Sequence[int], accuracy: npt.NDArray[np.float64], goal: float) -> int | None:
    return next((spent for spent, reached in zip(labels, accuracy, strict=True) if reached >= goal), None)


def _lines(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, curve in found["strategies"].items():
        needed = curve["labels_needed"]
        yield (
            name,
            f"{curve['area']:.4f}",
            f"{curve['final']:.4f} ± {curve['spread'][-1]:.4f}",
            "never" if needed is None else f"{needed}",
            "" if name == RANDOM else f"{curve['wins']:.0%}",
        )


def main() -> None:
    """Measure, print a table, and draw the plot if asked to."""
    parser = argparse.ArgumentParser(description="Accuracy by labels spent, sampled at random and by uncertainty.")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--candidate", type=Candidate, default=Candidate.LOGISTIC_REGRESSION)
    parser.add_argument("--plot", nargs="?", type=Path, const=PLOT, help=f"write a plot (to {PLOT})")
    arguments = parser.parse_args()
    found = measure(arguments.seeds, data=arguments.data, candidate=arguments.candidate)
    table = Table(title=f"{found['candidate']}, {found['seeds']} seeds, {found['budget_a_day']} labels a day")
    for heading in ("sampled by", "mean accuracy", "at the end", f"labels to {found['goal']:.3f}", "seeds won"):
        table.add_column(heading, justify="left" if heading == "sampled by" else "right")
    for line in _lines(found):
        table.add_row(*line)
    Console(width=120).print(table)
    if arguments.plot is not None:
        plot(found).savefig(arguments.plot, dpi=150)


if __name__ == "__main__":
    main()
