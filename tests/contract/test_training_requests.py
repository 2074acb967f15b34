"""One suite judges the fake and the adapter."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hindsight.adapters.models_table.approval_table import DynamoTrainingRequests
from hindsight.rollout.external.training_request import TrainingRequest, TrainingRequestStore
from hindsight.testing.models.approvals import InMemoryTrainingRequests

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REQUEST = TrainingRequest(
    model="bike",
    dataset_id="d20260301",
    decision_id="retrain-1",
    requested_at=NOW,
    expires_at=NOW + timedelta(days=7),
    task_token="token-1",
)


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[TrainingRequestStore]:
    if request.param == "in_memory":
        yield InMemoryTrainingRequests()
    else:
        yield DynamoTrainingRequests("models", request.getfixturevalue("dynamodb"))


def test_request_comes_back_as_it_was_stored(store: TrainingRequestStore) -> None:
    assert store.load("bike", "d20260301") is None
    assert store.save(REQUEST)
    assert store.load("bike", "d20260301") == REQUEST
    answered = replace(REQUEST, version="ours-2", task_token=None, revision=2)
    assert store.save(answered)
    assert store.load("bike", "d20260301") == answered
    assert store.load("other", "d20260301") is None


def test_of_two_changes_of_one_revision_the_first_stays(store: TrainingRequestStore) -> None:
    assert store.save(REQUEST)
    assert not store.save(replace(REQUEST, task_token="token-2"))
    assert store.save(replace(REQUEST, version="ours-2", revision=2))
    assert not store.save(replace(REQUEST, version="ours-3", revision=2))
    found = store.load("bike", "d20260301")
    assert found is not None
    assert found.version == "ours-2"


def test_newest_request_is_that_of_the_newest_dataset(store: TrainingRequestStore) -> None:
    assert store.newest("bike") is None
    for dataset_id in ("d20260302", "d20260303", "d20260301"):
        store.save(replace(REQUEST, dataset_id=dataset_id))
    store.save(replace(REQUEST, model="other", dataset_id="d20260309"))
    found = store.newest("bike")
    assert found is not None
    assert found.dataset_id == "d20260303"
