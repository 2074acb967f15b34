"""Stores of rollout evaluations: one suite judges the fake and the adapter."""

import pytest

from hindsight.adapters.models_table.evaluation_table import DynamoEvaluationStore
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.rollout.evaluation.store import EvaluationStore
from hindsight.testing.models.rollout_evaluations import InMemoryEvaluationStore


@pytest.fixture(params=["in_memory", "dynamodb"])
def evaluations(request: pytest.FixtureRequest) -> EvaluationStore:
    if request.param == "in_memory":
        return InMemoryEvaluationStore()
    return DynamoEvaluationStore("models", request.getfixturevalue("dynamodb"))


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
