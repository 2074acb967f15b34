"""Feedback of entities is counted alike by the fake and by DynamoDB."""

from dataclasses import replace
from typing import Any

import pytest

from hindsight.adapters.predictions_table.allowance_table import DynamoAllowances
from hindsight.labels.joining.entity_limit import Allowance, EntityAllowances
from hindsight.testing.predictions.allowances import InMemoryAllowances

THREE = Allowance(model="m", name="a", count=3, expires_at=2_000_000_000)


@pytest.fixture(params=["in_memory", "dynamodb"])
def allowances(request: pytest.FixtureRequest) -> EntityAllowances:
    if request.param == "in_memory":
        return InMemoryAllowances()
    return DynamoAllowances("predictions", request.getfixturevalue("dynamodb"))


def test_the_first_are_within_and_the_others_beyond(allowances: EntityAllowances) -> None:
    assert allowances.take(THREE, ["1", "2"]) == {"1", "2"}
    assert allowances.take(THREE, ["3", "4"]) == {"3"}
    assert allowances.take(THREE, ["5"]) == set()


def test_event_taken_before_is_within_the_limit_and_counts_once(allowances: EntityAllowances) -> None:
    allowances.take(THREE, ["1", "2"])
    assert allowances.take(THREE, ["2", "1", "1", "3"]) == {"1", "2", "3"}
    assert allowances.take(THREE, ["2", "4"]) == {"2"}


def test_each_allowance_of_each_model_is_its_own(allowances: EntityAllowances) -> None:
    allowances.take(THREE, ["1", "2", "3"])
    assert allowances.take(replace(THREE, name="b"), ["4"]) == {"4"}
    assert allowances.take(replace(THREE, model="n"), ["4"]) == {"4"}


def test_one_that_is_raised_lets_more_pass_and_one_that_is_lowered_takes_nothing_back(
    allowances: EntityAllowances,
) -> None:
    allowances.take(THREE, ["1", "2", "3"])
    assert allowances.take(replace(THREE, count=4), ["4", "5"]) == {"4"}
    assert allowances.take(replace(THREE, count=1), ["1", "2", "6"]) == {"1", "2"}


def test_nothing_asked_is_nothing_taken(allowances: EntityAllowances) -> None:
    assert allowances.take(THREE, []) == set()


def test_overtaken_worker_gets_the_remaining_allowance(dynamodb: Any) -> None:
    mine, other = (DynamoAllowances("predictions", dynamodb) for _ in range(2))
    mine.take(THREE, ["1"])
    overtakes = iter([True])

    def overtake(**_: Any) -> None:
        if next(overtakes, False):
            other.take(THREE, ["2"])

    dynamodb.meta.events.register_first("before-call.dynamodb.PutItem", overtake)

    assert mine.take(THREE, ["3", "4"]) == {"3"}
    assert mine.take(THREE, ["2"]) == {"2"}
