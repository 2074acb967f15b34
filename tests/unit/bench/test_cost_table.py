"""The table of docs/figures.md is what was counted, and what was counted is of today's template and prices."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bench.cost.__main__ import FIGURES, MEASURED, README
from bench.cost.bill import AIMS, aims, table
from bench.cost.prices import lines
from bench.cost.scenarios import SCENARIOS
from local.pages import read_block
from local.transformed import Place, deployment

# A series an hour; what is seldom (a run's end, a rollout) has its hours only.
MOST_METRICS_A_MODEL = 20


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    return found


def test_cost_table_is_made_of_the_counted_usage(measured: dict[str, Any]) -> None:
    assert read_block(FIGURES.read_text(encoding="utf-8"), "cost") == table(measured)
    assert set(measured) == {scenario.name for scenario in SCENARIOS}


def test_first_sentence_of_the_readme_on_costs_names_the_missed_aims(measured: dict[str, Any]) -> None:
    _, costs = README.read_text(encoding="utf-8").split("## Cost\n")
    assert costs.startswith("<!-- aims -->\n")
    assert read_block(costs, "aims") == aims(measured)
    for name, aim in AIMS.items():
        assert (f"miss their aim of ${aim}" in aims(measured)) is (measured[name]["dollars"] > aim)


def test_several_missed_aims_read_as_one_sentence() -> None:
    missed = {name: {"dollars": aim + (1 if name != "quiet" else 0)} for name, aim in AIMS.items()}
    assert ", and full batches cost " in aims(missed)
    assert aims(missed).endswith(" by $1.00; the other scenarios meet theirs.")


def test_counted_usage_belongs_to_the_present_scenarios(measured: dict[str, Any]) -> None:
    for scenario in SCENARIOS:
        found = measured[scenario.name]
        assert found["hours_played"] == scenario.hours, scenario.name
        assert found["days_aged"] == scenario.days, scenario.name
        assert found["scenario_digest"] == scenario.digest(), scenario.name


def test_results_of_another_scenario_are_recognised() -> None:
    digests = [one.digest() for one in SCENARIOS]
    assert len({*digests, replace(SCENARIOS[1], hours=7).digest()}) == len(SCENARIOS) + 1


def test_counted_usage_is_priced_by_the_price_list(measured: dict[str, Any]) -> None:
    for name, found in measured.items():
        by_line = lines(found["quantities"])
        assert {line: round(dollars, 3) for line, dollars in by_line.items()} == pytest.approx(found["lines"], abs=0.02)
        assert sum(by_line.values()) == pytest.approx(found["dollars"], abs=0.05), name
        assert found["after_free_allowances"] <= found["dollars"]


def test_fixed_costs_are_those_of_the_present_template(measured: dict[str, Any]) -> None:
    deployed = deployment(place=Place(region="us-east-1"))
    for found in measured.values():
        assert found["quantities"]["alarm_months"] == len(deployed.of("AWS::CloudWatch::Alarm"))
        assert found["quantities"]["secret_months"] == len(deployed.of("AWS::SecretsManager::Secret"))
        assert found["quantities"]["dashboard_months"] == len(deployed.of("AWS::CloudWatch::Dashboard"))


def test_a_model_has_few_metrics_in_hours_of_the_loop_with_a_run(measured: dict[str, Any]) -> None:
    for name, found in measured.items():
        assert len(found["metrics_played"]) <= MOST_METRICS_A_MODEL, name
    assert any(one.startswith("LivePerformance ") for one in measured["thousand_a_day"]["metrics_played"])
