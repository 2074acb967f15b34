from typing import Any

import pytest

from hindsight.config.metrics import Task
from hindsight.core.errors import Fault
from hindsight.labels.aggregate import rule_label
from hindsight.labels.mapping import can_read, unreadable_value
from tests.unit.labels.builders import DEMAND, PURCHASE, THUMB, labels


@pytest.mark.parametrize(
    ("rule", "values", "label"),
    [
        ({"event": "e"}, [0, 1], 1),
        ({"event": "e", "aggregate": "first"}, [0, 1], 0),
        ({"event": "e"}, [1, "maybe"], 1),
        ({"event": "e"}, ["maybe"], None),
        ({"event": "e"}, [None], None),
        ({"event": "e"}, ["true"], 1),
        (DEMAND, [101], 1),
        (DEMAND, [101, 100], 0),
        ({**DEMAND, "positive": {"at_least": 100}}, [100], 1),
        ({**DEMAND, "positive": {"less_than": 100}}, [100], 0),
        ({**DEMAND, "positive": {"at_most": 100}}, [100], 1),
        ({**DEMAND, "positive": {"equals": "yes"}}, ["yes"], 1),
        ({**DEMAND, "positive": {"equals": 1.0}}, [True], 1),
        ({**DEMAND, "positive": {"equals": True}}, ["1"], 1),
        ({**DEMAND, "positive": {"equals": True}}, ["true"], 1),
        ({**DEMAND, "positive": {"equals": "true"}}, [1], 1),
        ({**DEMAND, "positive": {"equals": False}}, ["0"], 1),
        ({**DEMAND, "positive": {"equals": 1.0}}, ["yes"], 0),
        ({**DEMAND, "positive": {"equals": 0.3}}, [0.1 + 0.2], 1),
        ({**DEMAND, "positive": {"equals": 0.3}}, [0.30000001192092896], 1),
        ({**DEMAND, "positive": {"equals": 0.3}}, [0.3001], 0),
        ({**DEMAND, "aggregate": "sum", "positive": {"equals": 0.3}}, [0.1, 0.2], 1),
        ({**DEMAND, "aggregate": "sum"}, [60, 50], 1),
        ({**DEMAND, "aggregate": "mean"}, [60, 50], 0),
        ({**DEMAND, "aggregate": "max"}, [60, 150, "text"], 1),
        ({**DEMAND, "aggregate": "min"}, [60, 150], 0),
        ({**DEMAND, "aggregate": "any"}, [60, 150, 70], 1),
        ({**DEMAND, "aggregate": "any"}, [60, 70], 0),
        ({**DEMAND, "aggregate": "count", "positive": {"at_least": 2}}, [None, "x"], 1),
        (THUMB, ["up", "down"], 0),
        (THUMB, ["down", "up", "sideways"], 1),
        ({**THUMB, "aggregate": "majority"}, ["up", "up", "down"], 1),
        ({**THUMB, "aggregate": "majority"}, ["up", "down"], 0),
        ({"event": "e", "aggregate": "majority"}, [True, True, 1, 1, 0, 0, 0], 1),
        ({"event": "e", "aggregate": "majority"}, ["true", 1, True, "0", "0"], 1),
        ({**THUMB, "aggregate": "count", "map": {"1": 0, "2": 1}}, [None, None], 1),
        (PURCHASE, [None], 1),
        (PURCHASE, [19.99], 1),
        ({"event": "e", "aggregate": "any"}, [0, 3], 1),
        ({"event": "e", "aggregate": "any"}, [0, False], 0),
        ({"event": "e", "aggregate": "sum"}, [1, 1], None),
    ],
)
def test_a_binary_rule_makes_its_label(rule: dict[str, Any], values: list[Any], label: int | None) -> None:
    (parsed,) = labels({"window": "P7D", **rule}).rules

    assert rule_label(parsed, values, Task.BINARY) == label


@pytest.mark.parametrize(
    ("rule", "values", "label"),
    [
        ({"event": "e"}, [1.0], "1"),
        ({"event": "e", "aggregate": "majority"}, ["cat", "dog", "dog"], "dog"),
        ({"event": "e", "aggregate": "majority"}, [1, 1.0, "1", "dog", "dog"], "1"),
        ({"event": "e", "map": {"c": "cat"}}, ["c"], "cat"),
    ],
)
def test_a_multiclass_label_is_text(rule: dict[str, Any], values: list[Any], label: str) -> None:
    (parsed,) = labels(rule, task="multiclass").rules

    assert rule_label(parsed, values, Task.MULTICLASS) == label


@pytest.mark.parametrize(
    ("aggregate", "values", "label"),
    [
        ("last", [3], 3.0),
        ("last", ["3", True], None),
        ("sum", [0.1] * 10, 1.0),
        ("sum", [1e30, 1e30], 1e30),
        ("sum", [-1e30, -1e30], -1e30),
        ("sum", [1e30, 1e30, -1e30], 1e30),
        ("mean", [1, 2], 1.5),
        ("count", ["a", None], 2.0),
    ],
)
def test_a_regression_label_is_a_finite_float(aggregate: str, values: list[Any], label: float | None) -> None:
    (parsed,) = labels({"event": "e", "aggregate": aggregate}, task="regression").rules

    found = rule_label(parsed, values, Task.REGRESSION)

    assert found == label
    assert found is None or isinstance(found, float)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("demand", 5, None),
        ("demand", "5", Fault("value", "must be a number")),
        ("demand", None, Fault("value", "must be a number")),
        ("thumb", "up", None),
        ("thumb", "sideways", Fault("value", "is none of 'down', 'up'")),
        ("purchase", None, None),
        ("exposed", None, None),
        ("exposed", "page", None),
        ("retracted", "f-1", None),
        ("retracted", 1, Fault("value", "must be the feedback_id of the event to retract")),
        ("click", 1, Fault("name", "is not declared; no rule of the model reads 'click'")),
        ("demnad", 1, Fault("name", "is not declared; no rule of the model reads 'demnad'; is it 'demand'?")),
    ],
)
def test_value_that_no_rule_reads_is_reported_with_its_path(name: str, value: Any, fault: Fault | None) -> None:
    declared = labels(DEMAND, THUMB, PURCHASE)

    assert unreadable_value(name, value, declared, Task.BINARY) == fault


def test_a_value_that_a_second_rule_of_the_event_reads_is_readable() -> None:
    declared = labels(DEMAND, {**THUMB, "event": "demand"})

    assert unreadable_value("demand", "up", declared, Task.BINARY) is None
    assert not can_read(declared.rules[0], "up", Task.BINARY)
