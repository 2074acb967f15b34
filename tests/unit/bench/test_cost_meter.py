"""The meter: calls whose price the documentation of AWS gives cost just that."""

from typing import Any

import pytest

from bench.cost.calendar import seconds_between, walk
from bench.cost.meter import Call, Meter, bill_of, total
from bench.cost.patterns import matches
from bench.cost.prices import free_each_month, lines, price_list
from bench.cost.units import firehose_bytes, index_units, item_bytes, read_units, write_units

DUE = {
    "KeySchema": [{"AttributeName": "due_shard"}, {"AttributeName": "due_at"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}
REVIEW = {
    "KeySchema": [{"AttributeName": "queue"}, {"AttributeName": "at"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["ratings"]},
}


def item(size: int, **attributes: str) -> dict[str, Any]:
    """An item of so many bytes."""
    named = {name: {"S": value} for name, value in {"pk": "p", "sk": "s", **attributes}.items()}
    return {**named, "x": {"S": "a" * (size - item_bytes(named) - 1)}}


def call(operation: str, *, changes: Any = (), succeeded: bool = True, answer: Any = None, **params: Any) -> Call:
    return Call("dynamodb", operation, params, answer or {}, succeeded, list(changes))


def billed(made: Call, **indexes: Any) -> dict[str, float]:
    return bill_of(made, {"t": list(indexes.values())})


@pytest.mark.parametrize(("size", "units"), [(20, 1), (1024, 1), (1025, 2), (4097, 5)])
def test_a_write_costs_a_unit_a_kilobyte_begun(size: int, units: int) -> None:
    assert billed(call("PutItem", changes=[("t", None, item(size))])) == {"write_units": units}


def test_a_write_costs_as_the_larger_of_before_and_after() -> None:
    assert billed(call("UpdateItem", changes=[("t", item(3000), item(100))])) == {"write_units": 3}


def test_a_transaction_costs_twice_and_its_indexes_once() -> None:
    due = item(500, due_shard="m#1", due_at="2026")
    made = call("TransactWriteItems", changes=[("t", None, due), ("t", None, item(100))])
    assert billed(made, due=DUE) == {"write_units": 2 + 1 + 2}


def test_refused_write_costs_its_units_and_touches_no_index() -> None:
    due = item(1500, due_shard="m#1", due_at="2026")
    assert billed(call("PutItem", changes=[("t", due, due)], succeeded=False), due=DUE) == {"write_units": 2}


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, {"due_shard": "1", "due_at": "a"}, 1),
        ({"due_shard": "1", "due_at": "a"}, {"due_shard": "1", "due_at": "a"}, 0),
        ({"due_shard": "1", "due_at": "a"}, {"due_shard": "1", "due_at": "b"}, 2),
        ({"due_shard": "1", "due_at": "a"}, {}, 1),
        ({}, {}, 0),
    ],
)
def test_index_write_costs_by_the_change_of_its_key(before: Any, after: Any, units: int) -> None:
    first, second = (None if one is None else item(200, **one) for one in (before, after))
    assert index_units(DUE, first, second) == units


def test_a_projected_attribute_that_changes_rewrites_the_entry() -> None:
    before, after = (item(300, queue="1", at="a", ratings=ratings) for ratings in ("1", "2"))
    assert (index_units(REVIEW, before, after), index_units(DUE, before, after)) == (1, 0)


def test_a_query_costs_by_its_items_together_half_where_it_may_be_stale() -> None:
    found = {"Items": [item(3 * 1024) for _ in range(3)]}
    assert billed(call("Query", answer=found)) == {"read_units": 1.5}
    assert billed(call("Query", answer=found, ConsistentRead=True)) == {"read_units": 3.0}


def test_gets_cost_by_item_and_missing_ones_too() -> None:
    keys = [{"pk": {"S": name}} for name in "abc"]
    made = call(
        "BatchGetItem",
        RequestItems={"t": {"Keys": keys, "ConsistentRead": True}},
        answer={"Responses": {"t": [item(5000), item(10)]}},
    )
    assert billed(made) == {"read_units": 2 + 1 + 1}
    assert billed(call("GetItem")) == {"read_units": 0.5}


def test_the_objects_of_the_lake_cost_by_class_and_deleting_is_free() -> None:
    operations = ["PutObject", "ListObjectsV2", "GetObject", "HeadObject", "DeleteObjects"]
    bills = [bill_of(Call("s3", operation, {}, {}, succeeded=True), {}) for operation in operations]
    assert total(bills) == {"s3_puts": 2, "s3_gets": 2}


def test_firehose_rounds_each_record_up() -> None:
    assert firehose_bytes([b"1"] * 1000) == 1000 * 5 * 1024
    assert firehose_bytes([b"1" * 10 * 1024]) == 10 * 1024


def test_sizes_are_of_names_and_values() -> None:
    typed = {"n": {"N": "-12.5"}, "b": {"BOOL": True}, "l": {"L": [{"S": "ab"}]}, "y": {"B": b"123"}}
    assert item_bytes(typed) == (1 + 4) + (1 + 1) + (1 + 3 + 1 + 2) + (1 + 3)


def test_a_series_is_billed_by_its_hours_and_dimensions() -> None:
    meter = Meter()
    for at in (10.0, 20.0, 3610.0):
        meter.see_metric("Predictions", {"model": "a"}, at)
    meter.see_metric("Predictions", {"model": "b"}, 30.0)
    assert len(meter.series) == 3


def test_every_quantity_has_a_price_and_the_allowances_take_no_more_than_was_used() -> None:
    prices = price_list()["prices"]
    quantities = dict.fromkeys(prices, 1.0)
    assert sum(lines(quantities).values()) == pytest.approx(sum(price["dollars"] for price in prices.values()))
    assert free_each_month({"alarm_months": 4}) == pytest.approx(0.4)
    assert free_each_month({"alarm_months": 21}) == pytest.approx(1.0)
    assert all(price["source"].startswith("https://aws.amazon.com/") for price in prices.values())


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("rate(1 day)", 86400),
        ("rate(5 minutes)", 300),
        ("cron(15 2 * * ? *)", 86400),
        ("cron(4/5 * * * ? *)", 300),
        ("cron(6 * * * ? *)", 3600),
    ],
)
def test_the_clock_is_read(expression: str, seconds: float) -> None:
    assert seconds_between(expression) == seconds


@pytest.mark.parametrize("expression", ["cron(0 9 ? * MON *)", "cron(0/7 * * * ? *)", "cron(0/5 2 * * ? *)"])
def test_an_expression_that_is_not_understood_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        seconds_between(expression)


def test_an_execution_is_counted_by_the_states_on_its_way() -> None:
    def task(name: str, following: str) -> dict[str, Any]:
        return {"Type": "Task", "Next": following, "Arguments": {"FunctionName": f"arn:stack-{name}Function-1"}}

    inner = {"StartAt": "Train", "States": {"Train": task("Train", "") | {"End": True}}}
    definition = {
        "StartAt": "Begin",
        "States": {
            "Begin": {"Type": "Pass", "Next": "Tell"},
            "Tell": {"Type": "Task", "Resource": "arn:aws:states:::events:putEvents", "Next": "All"},
            "All": {"Type": "Map", "ItemProcessor": inner, "Next": "Deploy"},
            "Deploy": task("Deploy", "Done"),
            "Done": {"Type": "Succeed"},
        },
    }
    # Begin, Tell, All, Deploy, Done; and in the map one state for each of three candidates.
    assert walk(definition, ["Train", "Deploy"], 3) == (5 + 3, 1)


def test_event_filters_match_as_lambda_does() -> None:
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"sk": {"S": [{"prefix": "label#"}]}}}}
    label = {"eventName": "INSERT", "dynamodb": {"NewImage": {"sk": {"S": "label#1"}}}}
    assert matches(pattern, label)
    assert not matches(pattern, {**label, "eventName": "MODIFY"})
    assert not matches(pattern, {"eventName": "INSERT", "dynamodb": {"NewImage": {"sk": {"S": "prediction"}}}})


def test_units_of_the_documentation() -> None:
    assert (write_units(1), read_units(4096, consistent=True), read_units(4097, consistent=False)) == (1, 1.0, 1.0)
