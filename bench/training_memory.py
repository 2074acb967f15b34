"""The memory of a training on a million rows: ``python -m bench.training_memory``

Gradient boosting on 20 features through the product's own search, split, training, reference and artefact, in a
separate process, so that the peak is its own. The frame is made in memory: how a dataset is read is another bench's.
"""

import argparse
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from bench.stream_memory import peak_bytes
from hindsight.config.features import Feature, FeatureType
from hindsight.config.metrics import Metric, Task
from hindsight.config.training import Candidate, Search, Training
from hindsight.core.times import microseconds
from hindsight.registry.schema import Schema
from hindsight.training.fitting.labelled_frame import LabelledFrame, Moments
from hindsight.training.fitting.pipeline_spec import PipelineSpec
from hindsight.training.fitting.search import search
from hindsight.training.fitting.selection import select
from hindsight.training.fitting.validation_split import ValidationSplit
from hindsight.training.model_card.importance import permutation_importances
from hindsight.training.models.artifact import dump_artifact
from hindsight.training.reference_profile import reference_profile

ROWS, HOLDOUT_ROWS = 1_000_000, 100_000
NUMBERS, CATEGORIES = 18, 2
LIMIT_BYTES = 10 * 1024**3
# What is tried is never more than a hundred thousand rows: more trials take longer, not more memory.
SEARCH = Search(trials=3, seconds=20)
_START = datetime(2026, 1, 1, tzinfo=UTC)


def measure(rows: int = ROWS, holdout_rows: int = HOLDOUT_ROWS, seed: int = 7) -> dict[str, Any]:
    """Measure the peak memory, in bytes, and the seconds of a training."""
    command = [sys.executable, "-m", "bench.training_memory", "--child", str(rows), str(holdout_rows), str(seed)]
    answered = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, Any] = json.loads(answered.stdout)
    return {
        "training_peak_bytes": found["peak_bytes"],
        "training_share_of_limit": round(found["peak_bytes"] / LIMIT_BYTES, 3),
        "training_seconds": round(found["seconds"], 1),
        "accuracy": round(found["accuracy"], 4),
        "rows": rows,
        "holdout_rows": holdout_rows,
        "features": NUMBERS + CATEGORIES,
        "seed": seed,
    }


def make_rows(count: int, seed: int) -> LabelledFrame:
    """Draw rows whose label follows a few of their features."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"number {number}": rng.normal(size=count) for number in range(NUMBERS)}
    texts = np.array([f"category {number}" for number in range(50)], dtype=object)
    codes = [rng.integers(len(texts), size=count) for _ in range(CATEGORIES)]
    columns |= {f"category {number}": texts[code] for number, code in enumerate(codes)}
    signal = columns["number 0"] * columns["number 1"] + columns["number 2"] + (codes[0] % 5 - 2) / 2
    labels = (signal + rng.normal(size=count) > 0).astype(np.float64)
    made = microseconds(_START) + 5_000_000 * np.arange(count)
    times = Moments(made, made + 3_600_000_000)
    ids = [f"prediction-{position:08d}" for position in range(count)]
    return LabelledFrame(pd.DataFrame(columns), labels, times, [], ids, np.ones(count), [None] * count)


def train(rows: int, holdout_rows: int, seed: int) -> dict[str, float]:
    """Train as the step does and return its peak memory, seconds and accuracy on the holdout."""
    part, holdout = make_rows(rows, seed), make_rows(holdout_rows, seed + 1)
    kinds = {
        name: FeatureType.CATEGORICAL if name.startswith("category") else FeatureType.NUMERIC
        for name in map(str, part.frame)
    }
    schema = Schema(
        model="bench",
        version="bench",
        task=Task.BINARY,
        metric=Metric.ACCURACY,
        features=kinds,
        classes=("0", "1"),
    )
    started = time.perf_counter()
    spec = PipelineSpec(Candidate.GRADIENT_BOOSTING, schema, Training(search=SEARCH), {})
    split = ValidationSplit.of(part, spec.training)
    if split is None:
        raise ValueError("the rows have one class only")
    spec = spec.with_settings(search(spec, split, time.perf_counter).settings)
    selection = select(spec, split)
    del split
    version = selection.apply(spec.train(part))
    predictions = version.predict(holdout.frame)
    permutation_importances(version, holdout, seed)
    reference_profile(version, part, holdout, {name: Feature(type=kind) for name, kind in kinds.items()})
    dump_artifact(version)
    accuracy = predictions.measure(Metric.ACCURACY, holdout.labels) or 0.0
    return {"peak_bytes": peak_bytes(), "seconds": time.perf_counter() - started, "accuracy": accuracy}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Peak memory of a large training.")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--child", type=int, nargs=3, metavar=("ROWS", "HOLDOUT", "SEED"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    found = train(*arguments.child) if arguments.child else measure(arguments.rows)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
