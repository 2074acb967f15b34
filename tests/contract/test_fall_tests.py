"""One suite judges the fake and the adapter."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from hindsight.adapters.models_table.fall_table import DynamoFallTests
from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.sequential.degradation_test import FallTest, FallTests, claim, counted
from hindsight.testing.models.fall_tests import InMemoryFallTests

NOON, LATER = (datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in (12, 13))
CLAIM = claim("v1", Metric.ROC_AUC, Task.BINARY, limit=0.8, gate_value=0.9)


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> FallTests:
    if request.param == "in_memory":
        return InMemoryFallTests()
    return DynamoFallTests("models", request.getfixturevalue("dynamodb"))


def once_counted() -> FallTest:
    test = FallTest.of(CLAIM, NOON, None)
    assert test is not None
    labels = np.array([1.0, 0.0, 1.0])
    return counted(test, LabelledPredictions(Task.BINARY, labels, labels, np.array([0.4, 0.6, 0.7])), NOON)


def test_before_the_first_look_there_is_none(store: FallTests) -> None:
    assert store.load("bike") is None


def test_a_test_comes_back_as_it_was(store: FallTests) -> None:
    test = once_counted()
    assert store.save("bike", test)
    found = store.load("bike")
    assert found is not None
    assert found.to_json() == test.to_json()
    assert found.unpaired == ((1.0, 0.7, 1.0),)
    assert store.load("car") is None


def test_of_two_looks_at_once_only_the_first_counts(store: FallTests) -> None:
    test = once_counted()
    assert store.save("bike", test)
    assert not store.save("bike", replace(test, reached=LATER))
    assert store.save("bike", replace(test, updates=2))
    assert not store.save("bike", replace(test, updates=2, reached=LATER))
    found = store.load("bike")
    assert found is not None
    assert found.reached == test.reached
