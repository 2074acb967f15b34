"""One suite judges the fakes and the adapters."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from hindsight.adapters.models_table.sequential_table import DynamoSequentialTests
from hindsight.adapters.models_table.watch_table import DynamoWatchProgress
from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.sequential.comparison_test import Claim, SequentialTest, SequentialTests, Waiting, counted
from hindsight.evaluation.sequential.observation import Scale
from hindsight.evaluation.sequential.progress import Watched, WatchProgress
from hindsight.testing.models.watching import InMemorySequentialTests, InMemoryWatchProgress

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCALE = Scale(Metric.ROC_AUC, Task.BINARY, 0.9, 0.85)


@pytest.fixture(params=["in_memory", "dynamodb"])
def tests(request: pytest.FixtureRequest) -> SequentialTests:
    if request.param == "in_memory":
        return InMemorySequentialTests()
    return DynamoSequentialTests("models", request.getfixturevalue("dynamodb"))


@pytest.fixture(params=["in_memory", "dynamodb"])
def progress(request: pytest.FixtureRequest) -> WatchProgress:
    if request.param == "in_memory":
        return InMemoryWatchProgress()
    return DynamoWatchProgress("models", request.getfixturevalue("dynamodb"))


def once_counted(watched: Watched = Watched.TRIAL) -> SequentialTest:
    claim = Claim(watched=watched, version="v2", against="v1", since=NOON - HOUR, scale=SCALE, null=0.5, limit=0.475)
    waiting = Waiting(unpaired=(((1.0, 0.7, 1.0),), ()), values=((0.5, 1.0), ()))
    begun = SequentialTest.of(claim, None, heaviest=2.0)
    test = counted(begun, np.array([0.5, 0.0, 1 / 3]), np.array([1.0, 2.0, 1.0]), waiting, NOON)
    return replace(test, deferred_at=3, updates=1)


def test_before_the_first_look_there_is_no_test(tests: SequentialTests) -> None:
    assert tests.load("bike", Watched.TRIAL) is None


def test_a_test_comes_back_as_it_was(tests: SequentialTests) -> None:
    test = once_counted()
    assert tests.save("bike", test)
    found = tests.load("bike", Watched.TRIAL)
    assert found is not None
    assert found.to_json() == test.to_json()
    assert (found.claim, found.waiting, found.highest) == (test.claim, test.waiting, test.highest)
    assert float(found.wealth.evidence) == float(test.wealth.evidence)
    assert tests.load("car", Watched.TRIAL) is None


def test_a_trial_and_a_probation_of_one_model_are_kept_apart(tests: SequentialTests) -> None:
    assert tests.save("bike", once_counted())
    assert tests.load("bike", Watched.PROBATION) is None
    assert tests.save("bike", once_counted(Watched.PROBATION))


def test_of_two_looks_at_once_only_the_first_counts(tests: SequentialTests) -> None:
    test = once_counted()
    assert tests.save("bike", test)
    assert not tests.save("bike", replace(test, reached=NOON + HOUR))
    assert tests.save("bike", replace(test, updates=2))
    assert not tests.save("bike", replace(test, updates=2, reached=NOON + HOUR))
    found = tests.load("bike", Watched.TRIAL)
    assert found is not None
    assert found.reached == NOON


def test_the_newest_look_is_kept_and_a_replayed_one_does_not_hide_it(progress: WatchProgress) -> None:
    assert progress.looks("bike") == {}
    older, newer = ({"at": f"2026-03-0{day}T00:00:00.000000Z", "evidence": 1.25, "labels": day} for day in (1, 2))
    progress.note_look("bike", Watched.TRIAL, older)
    progress.note_look("bike", Watched.TRIAL, newer)
    progress.note_look("bike", Watched.TRIAL, older)
    progress.note_look("bike", Watched.PROBATION, older)
    assert progress.looks("bike") == {"trial": newer, "probation": older}
    assert progress.looks("car") == {}


def test_what_was_told_is_remembered_and_never_goes_back(progress: WatchProgress) -> None:
    assert progress.told("bike") == 0
    progress.note_told("bike", 3)
    progress.note_told("bike", 2)
    progress.note_told("bike", 3)
    assert (progress.told("bike"), progress.told("car")) == (3, 0)
