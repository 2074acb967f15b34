"""Printed figures of the demos are those of their records: the summary.json of a run of each."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
# After another run: cp out/demo/summary.json local/bikeshare/measured.json
MEASURED: dict[str, Any] = json.loads((ROOT / "local/bikeshare/measured.json").read_text(encoding="utf-8"))
# After another run: cp out/outside/summary.json local/outside/measured.json
OUTSIDE: dict[str, Any] = json.loads((ROOT / "local/outside/measured.json").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORDS = " ".join(README.replace("**", "").split())


def percent(share: float) -> str:
    return f"{100 * share:.1f}"


@pytest.mark.parametrize(
    ("row", "name"),
    [("**live**", "live"), ("static: the first version", "static"), ("same as the last hour", "persistence")],
)
def test_table_shows_each_month_and_the_mean(row: str, name: str) -> None:
    (line,) = re.findall(rf"^\| {re.escape(row)} \|(.*)\|$", README, re.MULTILINE)
    cells = [cell.strip().strip("*") for cell in line.split("|")]
    assert cells == [
        *(percent(MEASURED[name][month]) for month in sorted(MEASURED[name])),
        percent(MEASURED[f"{name}_mean"]),
    ]


def test_counts_are_those_of_the_run() -> None:
    assert f"{MEASURED['promotions']} promotions, {MEASURED['rejections']} rejections by the gate" in WORDS
    assert f"{MEASURED['predictions']:,} predictions, {MEASURED['labels']:,} labels sent, none lost" in WORDS
    assert MEASURED["lost"] == 0


def test_readme_states_how_many_runs_came_of_a_finding() -> None:
    runs = [(kinds.split(", "), number) for kinds, number in MEASURED["started_by"].items()]
    found = [number for kinds, number in runs if {"drift", "performance"} & set(kinds)]
    total, by_schedule = sum(number for _, number in runs), sum(number for kinds, number in runs if "schedule" in kinds)
    assert by_schedule == total
    assert f"The schedule started {total - sum(found)} of the {total} runs without a finding" in WORDS
    joined = {kind: sum(number for kinds, number in runs if kind in kinds) for kind in ("drift", "performance")}
    assert ("drift and low performance joined it in one each" in WORDS) == (joined == {"drift": 1, "performance": 1})


def test_figures_of_the_demo_outside_are_those_of_its_run_and_reach_their_aims() -> None:
    words = " ".join((ROOT / "docs/figures.md").read_text(encoding="utf-8").split())
    gain = OUTSIDE["live_mean"] - OUTSIDE["static_mean"]
    live, static = percent(OUTSIDE["live_mean"]), percent(OUTSIDE["static_mean"])
    assert f"live {live} %, static {static} %, {percent(gain)} points" in words
    assert f"{OUTSIDE['promotions']} promotions" in words
    assert f"{OUTSIDE['aborted']} aborted shadow, {OUTSIDE['rolled_back']} rollback" in words
    assert f"{OUTSIDE['labels_by_entity']:,} labels by customer, none lost" in words
    assert (gain >= 0.1, OUTSIDE["lost"]) == (True, 0)
