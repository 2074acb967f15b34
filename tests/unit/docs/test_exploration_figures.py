"""The figures of exploration in the pages are those of a recorded run of ``python -m bench.exploration``."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench.exploration import CONFIDENCE, METRICS, ROWS, SHARE

ROOT = Path(__file__).parents[3]
# After a change of what it measures: python -m bench.exploration --out bench/exploration.json
MEASURED: dict[str, Any] = json.loads((ROOT / "bench/exploration.json").read_text(encoding="utf-8"))
WEIGHTS, FIGURES = (
    " ".join((ROOT / f"docs/{page}.md").read_text(encoding="utf-8").split()) for page in ("weights", "figures")
)
NAMES = {"accuracy": "accuracy", "roc_auc": "ROC AUC", "recall": "recall", "brier": "Brier score"}


def signed(value: float, digits: int = 3) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


def percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0")


def of(name: str) -> dict[str, float]:
    found: dict[str, float] = MEASURED["metrics"][name]
    return found


def test_run_is_of_the_benchmark_s_own_size() -> None:
    assert (MEASURED["runs"], MEASURED["rows"], MEASURED["share"]) == (200, ROWS, SHARE)
    assert (MEASURED["confidence"], list(MEASURED["metrics"])) == (CONFIDENCE, [metric.value for metric in METRICS])


def test_interval_holds_as_often_as_it_must() -> None:
    assert min(row["explored_coverage"] for row in MEASURED["metrics"].values()) >= 0.93


@pytest.mark.parametrize("name", NAMES)
def test_table_of_weights_shows_each_metric(name: str) -> None:
    row, (cells,) = of(name), re.findall(rf"\| {NAMES[name]} \| (0[^a-z]*?) \|(?= \||$| #)", WEIGHTS)
    assert cells.split(" | ") == [
        f"{row['truth']:.3f}",
        f"{100 * row['explored_coverage']:.1f} %",
        signed(row["explored_bias"]),
        f"{row['explored_width']:.3f}",
        f"{percent(row['unexplored_coverage'])} %",
        signed(row["unexplored_bias"]),
    ]


def test_pages_name_the_streams() -> None:
    runs, declined = MEASURED["runs"], percent(round(MEASURED["declined"], 2))
    assert (
        f"On {runs} simulated streams of {MEASURED['rows']:,} loans each, of which {declined} % are declined" in WEIGHTS
    )
    assert (
        f"whose decisions hide the outcomes of {declined} % of the stream, with {percent(SHARE)} % explored" in FIGURES
    )


def test_figures_show_accuracy_and_the_other_metrics() -> None:
    accuracy, others = of("accuracy"), [of(name) for name in list(NAMES)[1:]]
    bias = signed(100 * accuracy["explored_bias"], 1)
    assert (
        f"{percent(accuracy['explored_coverage'])} % of {MEASURED['runs']} simulated streams; bias {bias} points"
        in FIGURES
    )
    assert f"not explored: none of them; {100 * accuracy['unexplored_bias']:.1f} points too high" in FIGURES
    held, off = (
        [percent(row["explored_coverage"]) for row in others],
        [signed(row["unexplored_bias"]) for row in others],
    )
    assert f"{', '.join(held[:-1])} and {held[-1]} %" in FIGURES
    assert f"none; off by {', '.join(off[:-1])} and {off[-1]}" in FIGURES
    assert {row["unexplored_coverage"] for row in MEASURED["metrics"].values()} == {0.0}
