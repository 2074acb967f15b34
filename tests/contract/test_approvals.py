"""One suite judges the fake and the adapter."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hindsight.adapters.models_table.approval_table import DynamoApprovals
from hindsight.rollout.approval.approval import Answer, Approval
from hindsight.rollout.approval.store import ApprovalStore
from hindsight.testing.models.approvals import InMemoryApprovals

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASKED = Approval(
    model="bike",
    version="v1",
    decision_id="retrain-1",
    requested_at=NOW,
    expires_at=NOW + timedelta(days=3),
    task_token="token-1",
)
ANSWER = Answer(approved=True, actor="key:operator", reason="looks right", at=NOW + timedelta(hours=1))


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[ApprovalStore]:
    if request.param == "in_memory":
        yield InMemoryApprovals()
    else:
        yield DynamoApprovals("models", request.getfixturevalue("dynamodb"))


def test_nothing_was_asked_about_an_unknown_version(store: ApprovalStore) -> None:
    assert store.load("bike", "v1") is None
    assert store.newest("bike", 10) == []


def test_an_approval_comes_back_as_it_was_stored(store: ApprovalStore) -> None:
    assert store.save(ASKED)
    assert store.load("bike", "v1") == ASKED
    answered = replace(ASKED, answer=ANSWER, task_token=None, revision=2)
    assert store.save(answered)
    assert store.load("bike", "v1") == answered
    assert store.load("other", "v1") is None


def test_of_two_changes_of_one_revision_the_first_stays(store: ApprovalStore) -> None:
    assert store.save(ASKED)
    assert not store.save(replace(ASKED, task_token="token-2"))
    answered = replace(ASKED, answer=ANSWER, revision=2)
    assert store.save(answered)
    assert not store.save(replace(ASKED, answer=ANSWER.replace(approved=False), revision=2))
    assert store.load("bike", "v1") == answered


def test_the_newest_come_first_and_no_more_than_asked_for(store: ApprovalStore) -> None:
    for version in ("v20260301", "v20260303", "v20260302"):
        store.save(replace(ASKED, version=version))
    store.save(replace(ASKED, model="other", version="v20260309"))
    assert [approval.version for approval in store.newest("bike", 2)] == ["v20260303", "v20260302"]
    assert [approval.version for approval in store.newest("bike", 2, "v20260302")] == ["v20260301"]
