"""The accuracy of performance estimates: ``python -m bench.estimate``.

On NannyML's synthetic car-loan data the product's profile, calibration and estimates are set beside NannyML's own, and
both beside what the labels say. NannyML 0.13.1 runs in a separate environment under ``build/nannyml``, which is made
when it is missing. Many small simulated streams then show whether intervals keep their coverage.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table

from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.monitoring.estimation.estimated_performance import EstimateReport, check_estimate
from hindsight.monitoring.estimation.estimator import Estimator
from hindsight.monitoring.performance.realised_performance import check_performance
from hindsight.profiles.build import Columns, profile_columns
from hindsight.profiles.profile import Profile
from hindsight.registry.schema import Schema
from hindsight.training.estimators.performance_estimator import fit_estimator
from hindsight.training.models.scoring import Predictions

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements/nannyml.txt"
ENVIRONMENT = ROOT / "build" / "nannyml"
METRICS = (Metric.ACCURACY, Metric.ROC_AUC)
CONFIDENCE = 0.95
HOLDOUT_ROWS, WINDOW_ROWS = 2_000, 2_000

Floats = npt.NDArray[np.float64]


def measure(runs: int = 300, first_seed: int = 1) -> dict[str, Any]:
    """Measure every figure: differences are fractions (0.005 is half a point)."""
    return {**compare(run_nannyml()), "intervals": measure_intervals(runs, first_seed)}


def run_nannyml() -> dict[str, Any]:
    """Run NannyML in its own environment. Raises CalledProcessError if that cannot be made."""
    python = _environment()
    quiet = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1", "NML_DISABLE_USER_ANALYTICS": "1"}
    script = Path(__file__).with_name("nannyml_reference.py")
    answered = subprocess.run([python, script], check=True, stdout=subprocess.PIPE, env=quiet)  # noqa: S603
    found: dict[str, Any] = json.loads(answered.stdout)
    return found


def _environment() -> Path:
    """Find the interpreter of NannyML's environment, rebuilt where its lock file has changed."""
    python, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / ".lock-digest"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return python
    uv = str(Path(sys.prefix) / "bin" / "uv")
    base = sys.executable if sys.version_info < (3, 13) else "3.12"  # NannyML knows no newer Python
    install = ["pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", str(python), "-r", str(LOCK)]
    for command in (["venv", "--quiet", "--clear", "--python", base, str(ENVIRONMENT)], install):
        subprocess.run([uv, *command], check=True)  # noqa: S603
    stamp.write_text(digest, encoding="utf-8")
    return python


def compare(theirs: dict[str, Any]) -> dict[str, Any]:
    """Measure the differences between the product's estimates, NannyML's and the labels."""
    known, later = (_stream(theirs[part]) for part in ("reference", "analysis"))
    estimator = learn(known)
    size = theirs["chunk_rows"]
    chunks = [later.at(np.arange(start, start + size)) for start in range(0, len(later), size)]
    reports = [estimate(chunk, estimator) for chunk in chunks]
    found: dict[str, Any] = {
        "nannyml": theirs["version"],
        "rows": len(later),
        "chunks": len(chunks),
        "chunk_rows": size,
        "knots": len(estimator.calibration.scores) if estimator.calibration else 0,
        "metrics": {},
    }
    for metric in METRICS:
        ours = [(report.metrics or {})[metric.value].value for report in reports]
        realised = theirs["realised"][metric.value]
        found["metrics"][metric.value] = {
            "max_difference": _farthest(ours, theirs["estimated"][metric.value]),
            "mean_error": _mean_distance(ours, realised),
            "nannyml_mean_error": _mean_distance(theirs["estimated"][metric.value], realised),
            "estimated": ours,
            "nannyml_estimated": theirs["estimated"][metric.value],
            "realised": realised,
        }
    return {"cbpe_max_difference": max(one["max_difference"] for one in found["metrics"].values()), "cbpe": found}


def _farthest(ours: Sequence[float], others: Sequence[float]) -> float:
    return max(abs(one - other) for one, other in zip(ours, others, strict=True))


def _mean_distance(ours: Sequence[float], others: Sequence[float]) -> float:
    return fmean(abs(one - other) for one, other in zip(ours, others, strict=True))


def _stream(columns: dict[str, list[float]]) -> LabelledPredictions:
    labels, decisions, scores = (
        np.array(columns[name], dtype=np.float64) for name in ("y_true", "y_pred", "y_pred_proba")
    )
    return LabelledPredictions(Task.BINARY, labels, decisions, scores)


def configured(confidence: float = CONFIDENCE, **limits: float) -> ModelConfiguration:
    """Build the configuration whose bounds each hold at a confidence."""
    return parse_configuration(
        {
            "model": "simulated",
            "task": "binary",
            "features": {"x": {"type": "numeric"}},
            "labels": {"rules": [{"event": "annotation", "kind": "manual"}]},
            "monitoring": {
                "performance": {"metric": "accuracy", "confidence": confidence, "min_labels": 1, **limits},
                "min_rows": 1,
            },
        }
    )


def learn(holdout: LabelledPredictions) -> Estimator:
    """Fit the estimator of a holdout."""
    schema = Schema(
        model="simulated", version="v1", task=Task.BINARY, metric=Metric.ACCURACY, features={}, classes=("0", "1")
    )
    frame = pd.DataFrame(index=range(len(holdout)))  # a classifier's estimator reads no features
    answers = Predictions(Task.BINARY, holdout.decisions, holdout.scores)
    fitted = fit_estimator(schema, frame, holdout.labels, answers, seed=7)
    if fitted is None:
        raise ValueError("the holdout has no readable row")
    return fitted.estimator


def estimate(window: LabelledPredictions, estimator: Estimator, confidence: float = CONFIDENCE) -> EstimateReport:
    """Estimate the performance in a window without its labels, from its profile."""
    configuration = configured(confidence)
    return check_estimate(profiled(window, configuration), estimator, configuration, level=0.01, gate_value=None)


def profiled(window: LabelledPredictions, configuration: ModelConfiguration) -> Profile:
    """Build the profile of a window's predictions."""
    columns = Columns(
        prediction_ids=[str(place) for place in range(len(window))],
        features={},
        scores=window.scores,
        decisions=window.decisions.astype(np.int64),
    )
    return profile_columns(columns, configuration.features, Task.BINARY)


def measure_intervals(runs: int, first_seed: int) -> dict[str, Any]:
    """Measure how often two-sided 95 % intervals held the truth.

    Estimates are of a window whose inputs have moved, after a holdout of the same size; the truth is the metric of the
    distribution the window came from, and what the window's own labels say. Realised accuracy is that of reviewed rows,
    uncertain ones ten times as often, and the truth that of all rows.
    """
    two_sided = 1 - (1 - CONFIDENCE) / 2
    truth = draw(1_000_000, np.random.default_rng(0), shift=0.5)
    held: dict[str, list[bool]] = {}
    for seed in range(first_seed, first_seed + runs):
        rng = np.random.default_rng(seed)
        estimator, window = learn(draw(HOLDOUT_ROWS, rng)), draw(WINDOW_ROWS, rng, shift=0.5)
        report = estimate(window, estimator, two_sided)
        for metric in METRICS:
            found = (report.metrics or {})[metric.value]
            for name, value in (("true", truth.measure(metric)), ("realised", window.measure(metric))):
                held.setdefault(f"estimated_{metric.value}_holds_{name}", []).append(
                    _holds(found.lower, value, found.upper)
                )
        accuracy, everyone = review(draw(4_000, rng), rng, two_sided)
        held.setdefault("weighted_accuracy_holds_all", []).append(_holds(accuracy[0], everyone, accuracy[1]))
    coverage = {name: fmean(values) for name, values in sorted(held.items())}
    return {
        "confidence": CONFIDENCE,
        "runs": runs,
        "first_seed": first_seed,
        "holdout_rows": HOLDOUT_ROWS,
        "window_rows": WINDOW_ROWS,
        "coverage": coverage,
    }


def draw(rows: int, rng: np.random.Generator, shift: float = 0.0) -> LabelledPredictions:
    """Simulate a stream whose scores are overconfident; ``shift`` moves its inputs."""
    signal = rng.normal(size=rows) + shift
    scores = 1 / (1 + np.exp(-3.0 * signal))
    labels = (rng.uniform(size=rows) < 1 / (1 + np.exp(-2.0 * signal))).astype(np.float64)
    return LabelledPredictions(Task.BINARY, labels, (scores >= 0.5).astype(np.float64), scores)


def review(
    rows: LabelledPredictions, rng: np.random.Generator, confidence: float
) -> tuple[tuple[float | None, float | None], float]:
    """Estimate the bounds of the accuracy of reviewed rows, and the accuracy of all."""
    chances = np.where(np.abs(rows.scores - 0.5) < 0.3, 0.3, 0.03)
    records: list[LabelFields] = [
        {
            "prediction_id": str(place),
            "features": {},
            "score": float(rows.scores[place]),
            "decision": int(rows.decisions[place]),
            "value": int(rows.labels[place]),
            "kind": "manual",
            "selection_probability": float(chances[place]),
            "model_version": "v1",
        }
        for place in np.flatnonzero(rng.uniform(size=len(rows)) < chances)
    ]
    found = check_performance(
        records, configured(confidence), champion="v1", limit=None, test=None, level=1e-5
    ).champion
    return (found.lower, found.upper), rows.measure(Metric.ACCURACY) or 0.0


def _holds(lower: float | None, value: float | None, upper: float | None) -> bool:
    return lower is not None and value is not None and upper is not None and lower <= value <= upper


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Estimates of performance beside NannyML's and the truth.")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--first-seed", type=int, default=1)
    arguments = parser.parse_args()
    found = measure(arguments.runs, arguments.first_seed)
    cbpe = found["cbpe"]
    table = Table(title=f"{cbpe['rows']:,} car loans in chunks of {cbpe['chunk_rows']:,}; NannyML {cbpe['nannyml']}")
    for heading in ("metric", "largest difference", "mean error", "NannyML's mean error"):
        table.add_column(heading, justify="left" if heading == "metric" else "right")
    for name, row in cbpe["metrics"].items():
        table.add_row(name, *(f"{row[what]:.5f}" for what in ("max_difference", "mean_error", "nannyml_mean_error")))
    console = Console(width=120)
    console.print(table)
    intervals = found["intervals"]
    coverage = Table(title=f"Coverage of {CONFIDENCE:.0%} intervals, {intervals['runs']} streams")
    coverage.add_column("interval")
    coverage.add_column("held", justify="right")
    for name, share in intervals["coverage"].items():
        coverage.add_row(name, f"{share:.3f}")
    console.print(coverage)


if __name__ == "__main__":
    main()
