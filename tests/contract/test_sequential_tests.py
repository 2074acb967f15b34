"""Stores of sequential tests: one suite judges the fake and the adapter."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from hindsight.adapters.models_table.sequential_test_table import DynamoSequentialTests
from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.sequential.observation import Scale
from hindsight.evaluation.sequential.sequential_test import Claim, SequentialTest, SequentialTests, WaitingLabels
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.monitoring.performance.live_performance import performance_claim
from hindsight.testing.models.sequential_tests import InMemorySequentialTests

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCALE = Scale(Metric.ROC_AUC, Task.BINARY, 0.9, 0.85)


@pytest.fixture(params=["in_memory", "dynamodb"])
def tests(request: pytest.FixtureRequest) -> SequentialTests:
    if request.param == "in_memory":
        return InMemorySequentialTests()
    return DynamoSequentialTests("models", request.getfixturevalue("dynamodb"))


def of_rollout(subject: EvaluationSubject = EvaluationSubject.ROLLOUT) -> SequentialTest:
    claim = Claim(subject=subject, version="v2", against="v1", since=NOON - HOUR, scale=SCALE, null=0.5, limit=0.475)
    waiting = WaitingLabels(unpaired=(((1.0, 0.7, 1.0),), ()), values=((0.5, 1.0), ()))
    begun = SequentialTest.of(claim, NOON - HOUR, None, heaviest=2.0)
    test = begun.count(np.array([0.5, 0.0, 1 / 3]), np.array([1.0, 2.0, 1.0]), waiting, NOON)
    return test.replace(deferred_at=3, updates=1, sampled_share=0.5)


def of_performance() -> SequentialTest:
    claim = performance_claim("v1", Metric.ROC_AUC, Task.BINARY, 0.8)
    assert claim is not None
    labels = np.array([1.0, 0.0, 1.0])
    predictions = LabelledPredictions(Task.BINARY, labels, labels, np.array([0.4, 0.6, 0.7]))
    return SequentialTest.of(claim, NOON - HOUR, None).count_labels(predictions, NOON).replace(updates=1)


BOTH = pytest.mark.parametrize("test", [of_rollout(), of_performance()], ids=["rollout", "performance"])


@pytest.mark.parametrize("subject", list(EvaluationSubject))
def test_model_without_evaluation_has_no_test(tests: SequentialTests, subject: EvaluationSubject) -> None:
    assert tests.load("bike", subject) is None


@BOTH
def test_loaded_test_is_as_it_was_stored(tests: SequentialTests, test: SequentialTest) -> None:
    assert tests.save("bike", test)
    found = tests.load("bike", test.claim.subject)
    assert found is not None
    assert found.to_plain() == test.to_plain()
    assert (found.claim, found.waiting, found.highest) == (test.claim, test.waiting, test.highest)
    assert (found.evidence, found.wealth.starts) == (test.evidence, test.wealth.starts)
    assert float(found.wealth.evidence) == float(test.wealth.evidence)
    assert found.waiting.unpaired[0] == ((1.0, 0.7, 1.0),)
    assert tests.load("car", test.claim.subject) is None


def test_rollout_and_probation_of_one_model_have_tests_of_their_own(tests: SequentialTests) -> None:
    assert tests.save("bike", of_rollout())
    assert tests.load("bike", EvaluationSubject.PROBATION) is None
    assert tests.save("bike", of_rollout(EvaluationSubject.PROBATION))


def test_versions_beside_the_champion_have_tests_of_their_own(tests: SequentialTests) -> None:
    of_champion = of_performance()
    others = [
        of_champion.replace(claim=of_champion.claim.replace(subject=EvaluationSubject.PERFORMANCE_BESIDE, version=name))
        for name in ("v2", "v3")
    ]
    assert all(tests.save("bike", test) for test in (of_champion, *others))
    for test in others:
        found = tests.load("bike", EvaluationSubject.PERFORMANCE_BESIDE, test.claim.version)
        assert found is not None
        assert found.claim == test.claim
    assert tests.load("bike", EvaluationSubject.PERFORMANCE_BESIDE, "v4") is None


@BOTH
def test_first_of_two_concurrent_evaluations_counts(tests: SequentialTests, test: SequentialTest) -> None:
    assert tests.save("bike", test)
    assert not tests.save("bike", test.replace(reached=NOON + HOUR))
    assert tests.save("bike", test.replace(updates=2))
    assert not tests.save("bike", test.replace(updates=2, reached=NOON + HOUR))
    found = tests.load("bike", test.claim.subject)
    assert found is not None
    assert found.reached == NOON
