"""The figures of docs/performance.md and docs/statistics.md are those of the record of the bench, which hold."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench.estimate_lives import RECORD as LIVES
from bench.performance_degradation import DISTANCES, RECORD, RUNS, delay_table, measure_delay
from local.pages import read_block

ROOT = Path(__file__).parents[3]
# After a change of the test: .venv/bin/python -m bench.performance_degradation
MEASURED: dict[str, Any] = json.loads((ROOT / RECORD).read_text(encoding="utf-8"))
PERFORMANCE, STATISTICS, FIGURES = (
    (ROOT / f"docs/{name}.md").read_text(encoding="utf-8") for name in ("performance", "statistics", "figures")
)
DELAYS = MEASURED["labels_until_found_by_good_labels_and_distance"]


def test_table_of_delays_is_the_record() -> None:
    assert read_block(PERFORMANCE, "delays") == delay_table(MEASURED)
    assert f"was {MEASURED['good']:.2f} and falls below a line of {MEASURED['line']} (" in " ".join(PERFORMANCE.split())
    assert f"{MEASURED['runs']:,} lives each" in PERFORMANCE


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "any alarm in a year of 20,000 labels on the line; at 0.86; at 0.90",
            [MEASURED["alarms_in_a_year_by_accuracy"][share] for share in ("0.85", "0.86", "0.9")],
        ),
        ("… in a year of 200,000 labels on the line", [MEASURED["alarms_in_a_busy_year_on_the_line"]]),
        (
            "… in a year of 5,000 reviewed labels on the line, audits of 10 %, 2 %, 0.5 %",
            [*MEASURED["alarms_in_a_reviewed_year_on_the_line_by_audit"].values()],
        ),
        (
            "the interval of the newest 500 labels at every evaluation: 0.90, 0.85 (the line)",
            [*MEASURED["alarms_of_an_interval_at_every_look_by_accuracy"].values()],
        ),
    ],
)
def test_rates_of_alarms_are_those_of_the_record(line: str, shown: list[float]) -> None:
    (cell,) = re.findall(rf"^\| {re.escape(line)} \| (.*) \|$", STATISTICS, re.MULTILINE)
    assert re.split("[;,] ", cell) == [f"{rate:.3f}" for rate in shown]


def test_summary_of_figures_is_that_of_the_record() -> None:
    assert f"exactly on the line | {100 * MEASURED['alarms_in_a_year_by_accuracy']['0.85']:.1f} %" in FIGURES
    assert f"| {DELAYS['5000']['0.05']['median']:,.0f} in the median" in FIGURES


def test_lives_on_the_line_alarm_no_more_often_than_their_error() -> None:
    allowed = 1 - MEASURED["confidence"]
    for rates in (
        MEASURED["alarms_in_a_year_by_accuracy"].values(),
        [MEASURED["alarms_in_a_busy_year_on_the_line"]],
        MEASURED["alarms_in_a_reviewed_year_on_the_line_by_audit"].values(),
    ):
        assert max(rates) <= allowed
    assert MEASURED["suspect_checks_by_accuracy"]["0.85"] == pytest.approx(0.5, abs=0.04)


def test_lives_of_estimates_are_those_of_the_record_and_keep_their_error() -> None:
    lives = json.loads((ROOT / LIVES).read_text(encoding="utf-8"))
    on_the_line, far = (f"{100 * lives['alarms_by_distance'][distance]:.1f} %" for distance in ("0.0", "0.05"))
    text = " ".join(PERFORMANCE.split())
    assert f"exactly on the line: {on_the_line}; 0.05 below it: {far}." in text
    assert f"{lives['lives']} lives of versions whose inputs have moved, a check a day for {lives['days']} days" in text
    assert lives["alarms_by_distance"]["0.0"] <= 1 - lives["confidence"]


def test_delay_is_the_longer_the_nearer_the_fall_ends_to_the_line() -> None:
    for by_distance in DELAYS.values():
        medians = [by_distance[str(distance)]["median"] for distance in DISTANCES]
        assert all(found is not None for found in medians)
        assert medians == sorted(medians, reverse=True)


def test_recorded_delay_is_measured_again_by_a_few_runs() -> None:
    again = measure_delay(0.1, 0, runs=RUNS // 4)["median"]
    assert again == pytest.approx(DELAYS["0"]["0.1"]["median"], rel=0.15)
