"""The benchmark in small: intervals hold, and a comparison finds what was put into it."""

from typing import Any

import numpy as np
import pytest

from bench.estimate import LOCK, METRICS, compare, draw, measure_intervals
from hindsight.evaluation.labelled_predictions import LabelledPredictions


def test_intervals_hold_about_as_often_as_they_say() -> None:
    coverage = measure_intervals(runs=30, first_seed=1)["coverage"]
    assert len(coverage) == 5
    assert all(share >= 0.8 for share in coverage.values())


def columns(rows: LabelledPredictions) -> dict[str, list[float]]:
    return {"y_true": rows.labels.tolist(), "y_pred": rows.decisions.tolist(), "y_pred_proba": rows.scores.tolist()}


@pytest.mark.parametrize("off", [0.0, 0.05])
def test_comparison_reports_the_largest_difference(off: float) -> None:
    rng = np.random.default_rng(1)
    known, later = draw(3_000, rng), draw(2_000, rng)
    realised = {
        metric.value: [later.at(np.arange(n, n + 1_000)).measure(metric) for n in (0, 1_000)] for metric in METRICS
    }
    theirs: dict[str, Any] = {
        "version": "0",
        "chunk_rows": 1_000,
        "reference": columns(known),
        "analysis": columns(later),
        "realised": realised,
        "estimated": {metric.value: [0.0, 0.0] for metric in METRICS},
    }
    ours = {name: row["estimated"] for name, row in compare(theirs)["cbpe"]["metrics"].items()}
    theirs["estimated"] = {name: [values[0], values[1] + off] for name, values in ours.items()}
    found = compare(theirs)
    assert found["cbpe_max_difference"] == pytest.approx(off, abs=0.005)
    assert found["cbpe"]["chunks"] == 2
    assert found["cbpe"]["metrics"]["accuracy"]["mean_error"] < 0.05


def test_nannyml_stays_in_an_environment_of_its_own() -> None:
    assert "nannyml==0.13.1" in LOCK.read_text(encoding="utf-8")
    assert "nannyml" not in (LOCK.parent / "hindsight.txt").read_text(encoding="utf-8")
