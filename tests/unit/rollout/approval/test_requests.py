"""A run asks a person and waits; the person answers, too late, twice, or while the run asks again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.core.errors import Conflict, InvalidInput, NotFound, StaleRun, Unavailable
from hindsight.core.times import format_time
from hindsight.rollout.approval.answers import ApprovalAnswers
from hindsight.rollout.approval.approval import Answer, Approval
from hindsight.rollout.approval.requests import ApprovalRequest, ApprovalRequests
from hindsight.runs.run import RetrainingRun
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.approvals import InMemoryApprovals, InMemoryTasks
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.testing.models.trigger_store import InMemoryTriggers
from hindsight.triggers.state import OpenRun, TriggerState
from hindsight.validation.timestamps import ClientTimestamps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = RetrainingRun(model="bike", decision_id="retrain-1", fencing_token=4, as_of=NOW, reason="drift")
ASKED_AT = NOW + timedelta(minutes=10)
REQUEST = ApprovalRequest(run=RUN, version="v1", task_token="token-1", requested_at=ASKED_AT, lasts=timedelta(days=3))
RECORD = version_record("v1", NOW, decision_id="retrain-1", metrics={"accuracy": 0.9})
YES = Answer(approved=True, actor="key:operator", reason="looks right", at=NOW + timedelta(hours=1))
NO = YES.replace(approved=False, reason="wait for the season's end")


class World:
    """Everything a run that waits and the person who answers share."""

    def __init__(self) -> None:
        self.approvals, self.triggers, self.registry = InMemoryApprovals(), InMemoryTriggers(), InMemoryRegistry()
        self.bus, self.tasks = InMemoryAnnouncements(), InMemoryTasks("token-1", "token-2")
        self.registry.put_version("bike", RECORD)
        run = OpenRun(
            decision_id="retrain-1",
            fencing_token=4,
            started_at=NOW,
            lease_expires_at=NOW + timedelta(days=1),
            reason="drift",
        )
        self.triggers.states["bike"] = TriggerState(model="bike", version=1, open_run=run)

    def ask(self, request: ApprovalRequest = REQUEST) -> Approval:
        return ApprovalRequests(self.approvals, self.triggers, self.registry, self.bus).take(request)

    def answer(self, answer: Answer, version: str = "v1") -> Answer:
        return ApprovalAnswers(self.approvals, self.registry, self.tasks).take("bike", version, answer)


@pytest.fixture
def world() -> World:
    return World()


def test_approvers_are_sent_the_version_and_its_metrics_without_the_token(world: World) -> None:
    approval = world.ask()
    [announced] = world.bus.published
    assert (announced.name, announced.correlation_id, announced.at) == ("ApprovalRequested", "retrain-1", ASKED_AT)
    assert announced.data["version"] == "v1"
    assert announced.data["metrics"] == {"accuracy": 0.9}
    assert announced.data["expires_at"] == format_time(ASKED_AT + timedelta(days=3))
    assert "token-1" not in f"{announced} {approval} {approval.to_json()}"


def test_the_run_keeps_its_lock_for_as_long_as_people_may_take(world: World) -> None:
    world.ask()
    run = world.triggers.load("bike").open_run
    assert run is not None
    assert run.lease_expires_at == ASKED_AT + timedelta(days=4)


def test_run_that_lost_its_lock_asks_for_no_approval(world: World) -> None:
    stale = replace(REQUEST, run=RUN.replace(fencing_token=3))
    with pytest.raises(StaleRun):
        world.ask(stale)
    assert world.bus.published == []
    assert world.approvals.load("bike", "v1") is None


def test_the_answer_goes_to_the_run_and_the_token_is_forgotten(world: World) -> None:
    world.ask()
    assert world.answer(YES) == YES
    assert world.tasks.answers == {"token-1": YES.to_plain()}
    kept = world.approvals.load("bike", "v1")
    assert kept is not None
    assert (kept.answer, kept.task_token, kept.is_delivered) == (YES, None, True)


def test_the_same_answer_again_is_the_first_and_another_is_a_conflict(world: World) -> None:
    world.ask()
    world.answer(NO)
    assert world.answer(NO.replace(reason="again", at=NOW + timedelta(days=1))) == NO
    with pytest.raises(Conflict, match="was rejected"):
        world.answer(YES)
    assert len(world.tasks.answers) == 1


def test_run_without_a_request_waits_for_no_approval(world: World) -> None:
    with pytest.raises(Conflict, match="is not waiting for an approval"):
        world.answer(YES)
    with pytest.raises(NotFound):
        world.answer(YES, "v9")


def test_an_answer_that_comes_too_late_is_refused_and_not_kept(world: World) -> None:
    world.ask()
    world.tasks.waiting.clear()
    with pytest.raises(Conflict, match="waits no longer"):
        world.answer(YES)
    kept = world.approvals.load("bike", "v1")
    assert kept is not None
    assert kept.answer is None


def test_a_crash_before_the_answer_was_sent_is_made_up_for_by_the_same_call(world: World) -> None:
    world.ask()
    cut_off = InMemoryTasks("token-1")
    cut_off.answer = _crash  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        ApprovalAnswers(world.approvals, world.registry, cut_off).take("bike", "v1", YES)
    assert world.answer(YES.replace(reason="again")) == YES
    assert world.tasks.answers["token-1"]["reason"] == "looks right"


def test_a_repeated_answer_does_not_erase_one_that_another_call_is_delivering(world: World) -> None:
    world.ask()
    slow = InMemoryTasks("token-1")

    def meanwhile(_: str, __: Any) -> bool:
        assert world.answer(YES) == YES  # the same, sent twice at once, is faster
        return False

    slow.answer = meanwhile  # type: ignore[method-assign]
    repeated = ApprovalAnswers(world.approvals, world.registry, slow)
    kept = world.approvals.load("bike", "v1")
    assert kept is not None
    world.approvals.save(replace(kept, answer=YES, revision=2))
    assert repeated.take("bike", "v1", YES) == YES
    after = world.approvals.load("bike", "v1")
    assert after is not None
    assert after.is_delivered


def test_a_repeated_request_waits_with_its_new_token(world: World) -> None:
    world.ask()
    world.ask(replace(REQUEST, task_token="token-2"))
    assert [announced.name for announced in world.bus.published] == ["ApprovalRequested"] * 2
    world.answer(YES)
    assert list(world.tasks.answers) == ["token-2"]


def test_request_repeated_after_the_answer_asks_for_no_approval_again(world: World) -> None:
    world.ask()
    world.answer(YES)
    assert world.ask(replace(REQUEST, task_token="token-2")).answer == YES
    assert len(world.bus.published) == 1


def test_an_approval_that_others_keep_changing_is_given_up_on(world: World) -> None:
    world.ask()
    world.approvals.save = lambda _: False  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        world.answer(YES)
    with pytest.raises(Unavailable):
        world.ask(replace(REQUEST, task_token="token-2"))


def event(**changes: Any) -> dict[str, Any]:
    run = {
        "model": "bike",
        "decision_id": "retrain-1",
        "fencing_token": 4,
        "as_of": format_time(NOW),
        "reason": "drift",
    }
    return {**run, "version": "v1", "task_token": "token-1", "expires_in_seconds": 259200, **changes}


def test_a_step_s_input_is_read_and_without_a_moment_is_of_the_run_s() -> None:
    assert ApprovalRequest.from_event(event(entered_at=format_time(ASKED_AT)), ClientTimestamps.BOUNDED) == REQUEST
    assert ApprovalRequest.from_event(event(), ClientTimestamps.BOUNDED).requested_at == NOW
    simulated = event(entered_at=format_time(ASKED_AT))
    assert ApprovalRequest.from_event(simulated, ClientTimestamps.TRUSTED).requested_at == NOW


@pytest.mark.parametrize("missing", ["version", "task_token", "expires_in_seconds", "model"])
def test_an_input_that_lacks_something_is_refused_without_telling_the_token(missing: str) -> None:
    given = event()
    del given[missing]
    with pytest.raises(InvalidInput) as refused:
        ApprovalRequest.from_event(given, ClientTimestamps.BOUNDED)
    assert "token-1" not in refused.value.message


def _crash(*_: object) -> bool:
    raise RuntimeError("cut off")
