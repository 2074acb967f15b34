"""Stores of rollout evaluations and their tests: one suite judges the fakes and the adapters."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from hindsight.adapters.models_table.evaluation_table import DynamoEvaluationStore
from hindsight.adapters.models_table.sequential_table import DynamoSequentialTests
from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.sequential.comparison_test import Claim, SequentialTest, SequentialTests, Waiting, counted
from hindsight.evaluation.sequential.observation import Scale
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.rollout.evaluation.store import EvaluationStore
from hindsight.testing.models.rollout_evaluations import InMemoryEvaluationStore, InMemorySequentialTests

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCALE = Scale(Metric.ROC_AUC, Task.BINARY, 0.9, 0.85)


@pytest.fixture(params=["in_memory", "dynamodb"])
def tests(request: pytest.FixtureRequest) -> SequentialTests:
    if request.param == "in_memory":
        return InMemorySequentialTests()
    return DynamoSequentialTests("models", request.getfixturevalue("dynamodb"))


@pytest.fixture(params=["in_memory", "dynamodb"])
def evaluations(request: pytest.FixtureRequest) -> EvaluationStore:
    if request.param == "in_memory":
        return InMemoryEvaluationStore()
    return DynamoEvaluationStore("models", request.getfixturevalue("dynamodb"))


def once_counted(subject: EvaluationSubject = EvaluationSubject.ROLLOUT) -> SequentialTest:
    claim = Claim(subject=subject, version="v2", against="v1", since=NOON - HOUR, scale=SCALE, null=0.5, limit=0.475)
    waiting = Waiting(unpaired=(((1.0, 0.7, 1.0),), ()), values=((0.5, 1.0), ()))
    begun = SequentialTest.of(claim, None, heaviest=2.0)
    test = counted(begun, np.array([0.5, 0.0, 1 / 3]), np.array([1.0, 2.0, 1.0]), waiting, NOON)
    return replace(test, deferred_at=3, updates=1)


def test_model_without_evaluation_has_no_test(tests: SequentialTests) -> None:
    assert tests.load("bike", EvaluationSubject.ROLLOUT) is None


def test_loaded_test_is_as_it_was_stored(tests: SequentialTests) -> None:
    test = once_counted()
    assert tests.save("bike", test)
    found = tests.load("bike", EvaluationSubject.ROLLOUT)
    assert found is not None
    assert found.to_json() == test.to_json()
    assert (found.claim, found.waiting, found.highest) == (test.claim, test.waiting, test.highest)
    assert float(found.wealth.evidence) == float(test.wealth.evidence)
    assert tests.load("car", EvaluationSubject.ROLLOUT) is None


def test_rollout_and_probation_of_one_model_have_tests_of_their_own(tests: SequentialTests) -> None:
    assert tests.save("bike", once_counted())
    assert tests.load("bike", EvaluationSubject.PROBATION) is None
    assert tests.save("bike", once_counted(EvaluationSubject.PROBATION))


def test_first_of_two_concurrent_evaluations_counts(tests: SequentialTests) -> None:
    test = once_counted()
    assert tests.save("bike", test)
    assert not tests.save("bike", replace(test, reached=NOON + HOUR))
    assert tests.save("bike", replace(test, updates=2))
    assert not tests.save("bike", replace(test, updates=2, reached=NOON + HOUR))
    found = tests.load("bike", EvaluationSubject.ROLLOUT)
    assert found is not None
    assert found.reached == NOON


def test_replayed_evaluation_does_not_hide_a_newer_one(evaluations: EvaluationStore) -> None:
    assert evaluations.evaluations("bike") == {}
    older, newer = ({"at": f"2026-03-0{day}T00:00:00.000000Z", "evidence": 1.25, "labels": day} for day in (1, 2))
    evaluations.record_evaluation("bike", EvaluationSubject.ROLLOUT, older)
    evaluations.record_evaluation("bike", EvaluationSubject.ROLLOUT, newer)
    evaluations.record_evaluation("bike", EvaluationSubject.ROLLOUT, older)
    evaluations.record_evaluation("bike", EvaluationSubject.PROBATION, older)
    assert evaluations.evaluations("bike") == {"rollout": newer, "probation": older}
    assert evaluations.evaluations("car") == {}


def test_published_sequence_never_goes_back(evaluations: EvaluationStore) -> None:
    assert evaluations.published_sequence("bike") == 0
    evaluations.record_published_sequence("bike", 3)
    evaluations.record_published_sequence("bike", 2)
    evaluations.record_published_sequence("bike", 3)
    assert (evaluations.published_sequence("bike"), evaluations.published_sequence("car")) == (3, 0)
