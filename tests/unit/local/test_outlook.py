"""The outlook of a replay: the faults foreseen before anything is sent."""

from datetime import timedelta
from typing import Any

import pytest

from hindsight.config.model import ModelConfiguration
from local.replay.outlook import foresee
from local.replay.stream import Row
from tests.unit.local.files import START, configuration, spec

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ENOUGH = {"window": "P7D", "min_rows": 1, "performance": {"min_labels": 1}}


def hourly(days: int, outcome: Any = 1, **changes: Any) -> list[Row]:
    made = {"known_at": START, "outcome_due_at": None, "entity_id": None, **changes}
    return [Row(f"row-{place}", {}, START + place * HOUR, outcome, **made) for place in range(24 * days)]


def configured(due: str, *, monitoring: dict[str, Any] = ENOUGH, **changes: Any) -> ModelConfiguration:
    rules = [{"event": "demand", "kind": "outcome", "window": due}]
    labels = {"rules": rules, "default": {"value": 0, "after": due}}
    return configuration(labels=labels, monitoring=monitoring, **changes)


def said(configured: ModelConfiguration, rows: list[Row], days: int) -> list[str]:
    return list(foresee(spec(bootstrap={"days": days}), configured, rows))


def test_bootstrap_that_leaves_nothing_to_train_on_is_named_with_the_shortest_that_does() -> None:
    rows = hourly(120)
    (line,) = said(configured("P30D"), rows, 60)
    assert "no version can be trained on 2026-03-11" in line
    enough = int(line.partition("days: ")[2].partition("}")[0])
    assert said(configured("P30D"), rows, enough) == []
    assert len(said(configured("P30D"), rows, enough - 1)) == 1


def test_training_window_that_never_leaves_enough_is_named_with_the_one_that_does() -> None:
    rows = hourly(300)
    (line,) = said(configured("P60D"), rows, 200)
    assert "a training.window of P" in line
    days = int(line.partition("days: ")[2].partition("}")[0])
    assert f"training.window of P{days}D" in line
    assert said(configured("P60D", training={"window": f"P{days}D"}), rows, days) == []


def test_file_too_short_for_the_windows_of_the_rules_is_said_so() -> None:
    (line,) = said(configured("P60D"), hourly(90), 80)
    assert line.endswith("the file is too short: shorten the windows of the rules")


def test_rows_with_an_outcome_due_of_their_own_go_by_it() -> None:
    rows = hourly(90, outcome_due_at=START)
    assert said(configured("P60D"), rows, 30) == []


def test_rows_without_outcome_or_default_are_not_trained_on() -> None:
    no_default = configuration(monitoring=ENOUGH)
    assert said(no_default, hourly(60), 30) == []
    assert len(said(no_default, hourly(60, outcome=None), 30)) == 1
    assert len(said(no_default, hourly(60, known_at=START + 50 * DAY), 30)) == 1


def test_versions_made_elsewhere_are_not_foreseen() -> None:
    elsewhere = configured("P60D", training={"engine": "external"}, serving="external")
    assert said(elsewhere, hourly(90), 60) == []


@pytest.mark.parametrize(
    ("monitoring", "named"),
    [
        ({**ENOUGH, "min_rows": 200}, ["drift, monitoring.min_rows (200)"]),
        ({**ENOUGH, "performance": {"min_labels": 200}}, ["performance, monitoring.performance.min_labels (200)"]),
        ({"window": "P7D"}, ["drift, monitoring.min_rows (500)", "performance, monitoring.performance.min_labels"]),
    ],
)
def test_monitoring_window_with_too_few_rows_for_a_verdict_is_named_with_the_one_that_holds_them(
    monitoring: dict[str, Any], named: list[str]
) -> None:
    rows = hourly(60)
    (line,) = said(configured("P1D", monitoring=monitoring), rows, 30)
    assert all(name in line for name in named)
    assert line.count(" and on ") == len(named) - 1
    enough = line.rpartition("; ")[2].partition(" ")[0]
    assert said(configured("P1D", monitoring={**monitoring, "window": enough}), rows, 30) == []
