from datetime import UTC, datetime
from typing import Any

import pytest

from hindsight.core import compact_json
from hindsight.core.announcements import Announcement
from hindsight.core.errors import InvalidInput, Unavailable
from hindsight.registry.moves import AuditInfo, Servable, promote, roll_back, start_rollout
from hindsight.registry.pointer import Pointer, RolloutMode
from hindsight.registry.version import Check, Verdict
from hindsight.runtime.events.executions import parse_failed_execution
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.testing.models.trigger_store import InMemoryTriggers
from hindsight.triggers.decision import Decision
from hindsight.triggers.evaluation.decide import decide
from hindsight.triggers.runs.recovery import NOT_ANNOUNCED, FailedExecution, RunRecovery
from hindsight.triggers.state import RunOutcome, RunResult
from tests.event_schemas import require_promised
from tests.unit.triggers.builders import NOW, observed, request

LATER = datetime(2026, 3, 1, 15, tzinfo=UTC)
NEW = Servable(version="v2", artifact_key="k", artifact_digest="d")


class World:
    """A model with a run that was triggered and holds the lock."""

    def __init__(self) -> None:
        self.store, self.registry, self.announcements = InMemoryTriggers(), InMemoryRegistry(), InMemoryAnnouncements()
        self.recovery = RunRecovery(self.store, self.registry, self.announcements)
        self.decision, self.input = self.trigger("first")

    def trigger(self, event_id: str) -> tuple[Decision, dict[str, Any]]:
        before = self.store.load("bike")
        event = request(event_id=event_id, force=True)
        decision, state = decide(observed(champion=None, event=event, state=before))
        assert self.store.record(decision, state, before.version)
        assert state.open_run is not None
        return decision, state.open_run.execution_input("bike")

    def failed(self, status: str = "ABORTED", **detail: Any) -> FailedExecution:
        detail = {"input": compact_json.dumps(self.input), "status": status, **detail}
        return parse_failed_execution({"time": "2026-03-01T15:00:00Z", "detail": detail})

    def audit(self) -> AuditInfo:
        return AuditInfo(reason="better", actor="pipeline", at=NOW, decision_id=self.decision.decision_id)

    def serve(self, version: str) -> Pointer:
        return self.registry.move_pointer("bike", promoted(version, NOW, self.registry.pointer("bike")))

    def outcome(self) -> RunOutcome | None:
        recorded = self.store.decision("bike", NOW, self.decision.decision_id)
        assert recorded is not None
        return recorded.outcome


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("status", "detail", "reason"),
    [
        ("ABORTED", {"error": None, "cause": None}, "the execution was stopped by an operator"),
        ("TIMED_OUT", {}, "the execution took longer than it may"),
        (
            "FAILED",
            {"error": "NotFinalized", "cause": "throttled"},
            "the execution failed: NotFinalized: throttled",
        ),
        (
            "FAILED",
            {"error": "E", "cause": '{"errorMessage": "no rows", "errorType": "E", "stackTrace": ["x"]}'},
            "the execution failed: E: no rows",
        ),
    ],
)
def test_failed_run_is_finalized_announced_and_its_signals_are_pending_again(
    world: World, status: str, detail: dict[str, Any], reason: str
) -> None:
    held = world.store.load("bike").open_run

    assert world.recovery.recover(world.failed(status, **detail)) is RunOutcome.FAILED

    state = world.store.load("bike")
    assert held is not None
    assert (state.open_run, state.pending_signals) == (None, held.signals)
    assert world.outcome() is RunOutcome.FAILED
    (announced,) = world.announcements.published
    assert (announced.name, announced.at, announced.data["reason"]) == ("RetrainingFailed", LATER, reason)
    require_promised(announced.name, announced.detail())


def test_a_run_that_ended_by_itself_is_left_alone(world: World) -> None:
    end = RunResult(outcome=RunOutcome.FAILED, at=NOW, reason="Train: no rows")
    world.store.finalize_run("bike", world.input["fencing_token"], end)
    before = world.store.load("bike")

    assert world.recovery.recover(world.failed("FAILED", error="RunFailed")) is None

    assert world.store.load("bike") == before
    assert not world.announcements.published


def test_failed_run_does_not_finalize_the_one_that_took_over(world: World) -> None:
    failed = world.failed()
    world.store.finalize_run("bike", world.input["fencing_token"], RunResult(outcome=RunOutcome.FAILED, at=NOW))
    newer, _ = world.trigger("second")

    assert world.recovery.recover(failed) is None

    run = world.store.load("bike").open_run
    assert run is not None
    assert run.decision_id == newer.decision_id


def test_redelivered_message_finalizes_the_run_once(world: World) -> None:
    assert [world.recovery.recover(world.failed()) for _ in range(2)] == [RunOutcome.FAILED, None]
    assert len(world.announcements.published) == 1


def test_crash_after_the_announcement_announces_twice_rather_than_never(world: World) -> None:
    finalize = world.store.finalize_run

    def crash(*_: object) -> bool:
        raise Unavailable("the table is away")

    world.store.finalize_run = crash  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        world.recovery.recover(world.failed())
    world.store.finalize_run = finalize  # type: ignore[method-assign]

    assert world.recovery.recover(world.failed()) is RunOutcome.FAILED

    assert [announced.name for announced in world.announcements.published] == ["RetrainingFailed"] * 2
    assert world.store.load("bike").open_run is None


@pytest.mark.parametrize(
    ("mode", "outcome", "name"),
    [
        (None, RunOutcome.PROMOTED, "ModelPromoted"),
        (RolloutMode.CANARY, RunOutcome.CANARY, "CanaryStarted"),
        (RolloutMode.SHADOW, RunOutcome.SHADOW, "ShadowStarted"),
    ],
)
def test_run_that_failed_after_it_moved_the_pointer_has_that_outcome(
    world: World, mode: RolloutMode | None, outcome: RunOutcome, name: str
) -> None:
    before = world.serve("v1")
    audit = world.audit()
    share = 0.1 if mode is RolloutMode.CANARY else None
    step = promote(before, NEW, audit) if mode is None else start_rollout(before, NEW, mode, share, audit)
    world.registry.move_pointer("bike", step)

    assert world.recovery.recover(world.failed()) is outcome

    assert world.outcome() is outcome
    assert not world.store.load("bike").pending_signals
    (announced,) = world.announcements.published
    assert (announced.name, announced.data["version"]) == (name, "v2")
    require_promised(announced.name, announced.detail())


def test_run_that_failed_after_the_gate_rejected_its_version_is_rejected(world: World) -> None:
    below = (Check(name="floor", passed=False, value=0.5, limit=0.7, detail="0.5 is below 0.7"),)
    ours = {"decision_id": world.decision.decision_id, "verdict": Verdict.REJECT, "checks": below}
    world.registry.put_version("bike", version_record("v2", NOW, **ours))

    assert world.recovery.recover(world.failed("FAILED", error="NotFinalized")) is RunOutcome.REJECTED

    state = world.store.load("bike")
    assert (state.open_run, state.pending_signals) == (None, {})
    assert (world.outcome(), state.consecutive_rejections) == (RunOutcome.REJECTED, 1)
    (announced,) = world.announcements.published
    assert (announced.name, announced.data["version"], announced.data["reason"]) == (
        "CandidateRejected",
        "v2",
        "floor: 0.5 is below 0.7",
    )
    require_promised(announced.name, announced.detail())


@pytest.mark.parametrize("found", [{"verdict": Verdict.PROMOTE}, {"decision_id": "another", "verdict": Verdict.REJECT}])
def test_a_version_that_passed_or_is_another_run_s_ends_no_run(world: World, found: dict[str, Any]) -> None:
    known = {"decision_id": world.decision.decision_id, **found}
    world.registry.put_version("bike", version_record("v2", NOW, **known))
    assert world.recovery.recover(world.failed()) is RunOutcome.FAILED


def test_a_run_whose_version_was_rolled_back_since_had_promoted_it_all_the_same(world: World) -> None:
    before = world.serve("v1")
    promotion = promote(before, NEW, world.audit())
    world.registry.move_pointer("bike", promotion)
    by_hand = AuditInfo(reason="it is bad", actor="key:operator", at=LATER)
    old = Servable(version="v1", artifact_key="k", artifact_digest="d")
    world.registry.move_pointer("bike", roll_back(promotion.pointer, old, by_hand))

    assert world.recovery.recover(world.failed()) is RunOutcome.PROMOTED


def test_moves_of_other_runs_do_not_count(world: World) -> None:
    world.serve("v1")
    assert world.recovery.recover(world.failed()) is RunOutcome.FAILED


def test_an_end_that_could_not_be_announced_is_announced(world: World) -> None:
    end = RunResult(outcome=RunOutcome.REJECTED, at=NOW, reason="floor", version="v2")
    world.store.finalize_run("bike", world.input["fencing_token"], end)

    assert world.recovery.recover(world.failed("FAILED", error=NOT_ANNOUNCED)) is RunOutcome.REJECTED

    (announced,) = world.announcements.published
    assert isinstance(announced, Announcement)
    assert (announced.name, announced.data["reason"], announced.data["version"]) == ("CandidateRejected", "floor", "v2")
    require_promised(announced.name, announced.detail())


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"time": "2026-03-01T15:00:00Z", "detail": {"status": "FAILED", "input": None}},
        {"time": "2026-03-01T15:00:00Z", "detail": {"status": "FAILED", "input": "{}"}},
        {"time": "2026-03-01T15:00:00Z", "detail": {"status": "SUCCEEDED", "input": "{}"}},
        {"time": "2026-03-01T15:00:00Z", "detail": {"status": "FAILED", "input": "not json"}},
    ],
)
def test_event_that_names_no_failed_run_is_invalid(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_failed_execution(event)
