"""Performance of a model whose decisions hide outcomes, with exploration and without: ``python -m bench.exploration``.

Streams of loan applications, whose outcomes are all known here, are decided by a model that is wrong about one segment.
Of those that are declined no outcome is seen, but for those that the product's exploration grants. The metrics of all
applications are then estimated by the product from the labels there are (Horvitz & Thompson, 1952; Hájek, 1971).
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.confidence_interval import Estimate, estimate
from hindsight.evaluation.matured_labels import read_matured
from hindsight.evaluation.metrics import Floats, evaluate
from hindsight.serving.exploration import assign

ROWS = 10_000
SHARE = 0.02
CONFIDENCE = 0.95
GRANTED = 1
METRICS = (Metric.ACCURACY, Metric.ROC_AUC, Metric.RECALL, Metric.BRIER)
# Each bound holds at its own confidence: both hold in 95 of 100.
_ONE_SIDED = (1 + CONFIDENCE) / 2


def configured(share: float | None) -> ModelConfiguration:
    """Build the configuration of a model that grants loans; without a share it explores nothing."""
    return parse_configuration(
        {
            "model": "loans",
            "task": "binary",
            "features": {"income": {"type": "numeric"}},
            "labels": {"rules": [{"event": "repaid", "kind": "outcome", "window": "P365D"}], "default": None},
            "exploration": None if share is None else {"share": share, "decision": GRANTED},
        }
    )


class Stream:
    """Applications with their outcomes, and what the model says of them, each of shape (rows,)."""

    def __init__(self, rows: int, seed: int) -> None:
        dice = np.random.default_rng(seed)
        signal, is_misjudged = dice.normal(0.6, 1.2, rows), dice.random(rows) < 0.25
        self.names = [f"{seed}-{place}" for place in range(rows)]
        self.outcomes = (dice.random(rows) < _logistic(1.5 * signal)).astype(np.float64)
        self.scores = _logistic(1.5 * signal - 1.2 * is_misjudged)
        self.decisions = (self.scores >= 0.5).astype(np.float64)

    def truth(self, metric: Metric) -> float:
        """Compute a metric over all applications."""
        value = evaluate(metric, Task.BINARY, self.outcomes, self.decisions, self.scores)
        assert value is not None
        return value

    def labelled(self, configuration: ModelConfiguration) -> Iterator[LabelFields]:
        """List the label records of the granted applications: those of the declined have none."""
        rows = zip(
            self.names, self.scores.tolist(), self.decisions.tolist(), self.outcomes.astype(int).tolist(), strict=True
        )
        for name, score, own, outcome in rows:
            assignment = assign(configuration, name, int(own))
            if GRANTED not in {own, assignment.explored}:
                continue
            record: LabelFields = {
                "prediction_id": name,
                "kind": "outcome",
                "model_version": "v1",
                "score": score,
                "decision": GRANTED,
                "value": outcome,
                "propensity": assignment.propensity,
            }
            yield record if assignment.explored is None else {**record, "model_decision": int(own)}


def measure(runs: int = 200, first_seed: int = 1, rows: int = ROWS, share: float = SHARE) -> dict[str, Any]:
    """Measure bias and coverage of each metric over simulated streams, with exploration and without."""
    streams = [Stream(rows, seed) for seed in range(first_seed, first_seed + runs)]
    found = {name: _estimates(streams, configured(of)) for name, of in (("explored", share), ("unexplored", None))}
    metrics = {
        metric.value: {
            "truth": fmean(stream.truth(metric) for stream in streams),
            **{
                f"{name}_{what}": value
                for name, estimates in found.items()
                for what, value in _summary(metric, streams, estimates[metric]).items()
            },
        }
        for metric in METRICS
    }
    accuracy = metrics[Metric.ACCURACY.value]
    return {
        "exploration_coverage": accuracy["explored_coverage"],
        "exploration_bias": accuracy["explored_bias"],
        "no_exploration_coverage": accuracy["unexplored_coverage"],
        "no_exploration_bias": accuracy["unexplored_bias"],
        "declined": fmean(1 - stream.decisions.mean() for stream in streams),
        "confidence": CONFIDENCE,
        "share": share,
        "rows": rows,
        "runs": runs,
        "first_seed": first_seed,
        "metrics": metrics,
    }


def _estimates(streams: Sequence[Stream], configuration: ModelConfiguration) -> dict[Metric, list[Estimate]]:
    found: dict[Metric, list[Estimate]] = {metric: [] for metric in METRICS}
    for stream in streams:
        predictions = read_matured(list(stream.labelled(configuration)), configuration).predictions
        for metric in METRICS:
            found[metric].append(estimate(predictions, metric, _ONE_SIDED))
    return found


def _summary(metric: Metric, streams: Sequence[Stream], found: Sequence[Estimate]) -> dict[str, float]:
    truths = [stream.truth(metric) for stream in streams]
    pairs = [
        (one.value, one.lower, one.upper, truth)
        for one, truth in zip(found, truths, strict=True)
        if one.value is not None and one.lower is not None and one.upper is not None
    ]
    return {
        "coverage": sum(lower <= truth <= upper for _, lower, upper, truth in pairs) / len(found),
        "bias": fmean(value - truth for value, _, _, truth in pairs),
        "width": fmean(upper - lower for _, lower, upper, _ in pairs),
        "effective_rows": fmean(one.effective_rows for one in found),
    }


def _logistic(values: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-values))
    return found


def main() -> None:
    """Measure, print a table and record the run where asked to."""
    parser = argparse.ArgumentParser(description="Estimates of a model whose decisions hide outcomes.")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--out", type=Path, help="the file that records the run as JSON")
    arguments = parser.parse_args()
    found = measure(arguments.runs, rows=arguments.rows)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    title = f"{found['runs']} streams of {found['rows']:,} rows, {found['declined']:.0%} declined"
    table = Table("metric", "truth", "explored: 95 % holds in", "bias", "width", "not explored", "bias", title=title)
    for name, row in found["metrics"].items():
        table.add_row(
            name,
            f"{row['truth']:.3f}",
            f"{row['explored_coverage']:.3f}",
            f"{row['explored_bias']:+.4f}",
            f"{row['explored_width']:.3f}",
            f"{row['unexplored_coverage']:.3f}",
            f"{row['unexplored_bias']:+.4f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
