"""One suite judges the fake and the adapter."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hindsight.adapters.models_table.trigger_table import DynamoTriggers
from hindsight.testing.models.trigger_store import InMemoryTriggers
from hindsight.triggers.decision import BlockCode, Blocker, Decision
from hindsight.triggers.inputs import Cause
from hindsight.triggers.signals.check import DriftSignal
from hindsight.triggers.signals.event import ManualSignal
from hindsight.triggers.signals.volume import VolumeSignal
from hindsight.triggers.state import BlockedSignals, OpenRun, RunOutcome, RunResult, TriggerState
from hindsight.triggers.store import TriggerStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DRIFT = DriftSignal.status("it drifts", {"share": 0.5, "features": ["hour"], "threshold": 1.0}, since=NOW)
MANUAL = ManualSignal.raised(NOW, "new season", {"nothing": None})


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[TriggerStore]:
    if request.param == "in_memory":
        yield InMemoryTriggers()
    else:
        yield DynamoTriggers("models", request.getfixturevalue("dynamodb"))


def triggered(decision_id: str = "retrain-1", at: datetime = NOW, token: int = 1) -> tuple[Decision, TriggerState]:
    decision = Decision(
        decision_id=decision_id,
        model="bike",
        at=at,
        cause=Cause.SCHEDULE,
        reason="drift",
        signals=(DRIFT,),
        blocked_by=(),
        explanation="Retrains because drift was found (it drifts).",
        new_labels=500,
        policy={"combine": "any", "max_runs": {"count": 8, "per": "P30D"}},
        state={"consecutive_rejections": 0},
        fencing_token=token,
    )
    run = OpenRun(
        decision_id=decision_id,
        fencing_token=token,
        started_at=at,
        lease_expires_at=at + timedelta(days=1),
        reason="drift",
        signals={"drift": DRIFT},
    )
    state = TriggerState(
        model="bike",
        version=1,
        fencing_token=token,
        open_run=run,
        run_starts=(at,),
        last_run_started_at=at,
        last_triggered_id=decision_id,
    )
    return decision, state


def blocked(decision_id: str, at: datetime) -> Decision:
    return Decision(
        decision_id=decision_id,
        model="bike",
        at=at,
        cause=Cause.MANUAL,
        reason="an open run",
        signals=(VolumeSignal.status("3 of 500", {"since": None}), MANUAL),
        blocked_by=(
            Blocker(code=BlockCode.OPEN_RUN, reason="a run is open", details={"decision_id": "retrain-0"}),
            Blocker(code=BlockCode.MIN_NEW_LABELS, reason="too few", details={"have": 3, "need": 200}),
        ),
        explanation="Did not retrain, although a run was requested, because a run is open; too few.",
        actor="key:operator",
        forced=True,
    )


def test_a_model_without_history_has_a_new_state(store: TriggerStore) -> None:
    assert store.load("bike") == TriggerState(model="bike")
    assert store.decisions("bike", 10) == []


def test_a_recorded_decision_and_its_state_come_back_as_they_were(store: TriggerStore) -> None:
    decision, state = triggered()
    assert store.record(decision, state, 0)
    assert store.load("bike") == state
    assert store.decisions("bike", 10) == [decision]
    assert store.decision("bike", NOW, "retrain-1") == decision
    assert store.decision("bike", NOW, "another") is None


def test_every_field_of_a_state_comes_back(store: TriggerStore) -> None:
    decision, state = triggered()
    full = state.replace(
        pending_signals={"drift": DRIFT, "manual": MANUAL},
        last_blocked=BlockedSignals(code="cooldown", kinds=("drift", "manual")),
        cooldown_started_at=NOW,
        last_outcome=RunOutcome.REJECTED,
        last_run_finished_at=NOW,
        consecutive_rejections=3,
        consecutive_rollbacks=2,
        rolled_back_at=NOW,
        last_snapshot_as_of=NOW,
        last_dataset_id="d1",
    )
    assert store.record(decision, full, 0)
    assert store.load("bike") == full


def test_a_run_that_waits_holds_its_lock_longer_and_never_shorter(store: TriggerStore) -> None:
    decision, state = triggered(token=3)
    store.record(decision, state, 0)
    assert store.extend_lease("bike", 3, NOW + timedelta(days=4))
    assert store.extend_lease("bike", 3, NOW + timedelta(days=2))
    run = store.load("bike").open_run
    assert run is not None
    assert run.lease_expires_at == NOW + timedelta(days=4)
    assert store.load("bike") == state.replace(version=3, open_run=run)


def test_a_run_that_lost_its_lock_extends_nothing(store: TriggerStore) -> None:
    assert not store.extend_lease("bike", 1, NOW + timedelta(days=4))
    decision, state = triggered(token=3)
    store.record(decision, state, 0)
    assert not store.extend_lease("bike", 2, NOW + timedelta(days=4))
    assert store.load("bike") == state


def test_of_two_decisions_made_from_one_state_only_one_is_stored(store: TriggerStore) -> None:
    first, state = triggered("retrain-1")
    second, rival = triggered("retrain-2")
    assert store.record(first, state, 0)
    assert not store.record(second, rival, 0)
    assert store.load("bike").last_triggered_id == "retrain-1"
    assert store.decisions("bike", 10) == [first]


def test_a_later_state_replaces_only_the_version_it_was_made_from(store: TriggerStore) -> None:
    decision, state = triggered()
    store.record(decision, state, 0)
    later = blocked("retrain-2", NOW + timedelta(hours=1))
    changed = state.replace(version=2, pending_signals={"manual": MANUAL})
    assert not store.record(later, changed, 5)
    assert store.record(later, changed, 1)
    assert store.load("bike") == changed


def test_decisions_come_newest_first_and_no_more_than_asked_for(store: TriggerStore) -> None:
    _, state = triggered()
    recorded = [blocked(f"retrain-{hour}", NOW + timedelta(hours=hour)) for hour in range(5)]
    for version, decision in enumerate(recorded):
        assert store.record(decision, state.replace(version=version + 1), version)
    assert store.decisions("bike", 2) == [recorded[4], recorded[3]]
    assert store.decisions("another", 2) == []


def test_pages_of_decisions_hold_each_once(store: TriggerStore) -> None:
    _, state = triggered()
    recorded = [blocked(f"retrain-{number}", NOW + timedelta(hours=number // 2)) for number in range(5)]
    for version, decision in enumerate(recorded):
        assert store.record(decision, state.replace(version=version + 1), version)

    first = store.decisions("bike", 2)
    second = store.decisions("bike", 2, (first[-1].at, first[-1].decision_id))

    assert first + second == recorded[:0:-1]
    assert store.decisions("bike", 2, (NOW, "retrain-0")) == []
    assert store.decisions("bike", 1, (NOW, "retrain-never-recorded")) == [recorded[1]]


def test_finalizing_releases_the_lock_and_records_the_outcome(store: TriggerStore) -> None:
    decision, state = triggered()
    store.record(decision, state, 0)
    result = RunResult(
        outcome=RunOutcome.PROMOTED,
        at=NOW + timedelta(hours=1),
        reason="better by 0.02",
        version="v1",
        dataset_id="d1",
        snapshot_as_of=NOW,
    )
    assert store.finalize_run("bike", 1, result)
    after = store.load("bike")
    assert after.open_run is None
    assert (after.version, after.last_outcome, after.last_dataset_id) == (2, RunOutcome.PROMOTED, "d1")
    assert after.last_snapshot_as_of == NOW
    [kept] = store.decisions("bike", 1)
    assert (kept.outcome, kept.outcome_reason) == (RunOutcome.PROMOTED, "better by 0.02")
    assert (kept.outcome_version, kept.finished_at) == ("v1", result.at)
    assert kept.signals == decision.signals


def test_a_run_is_finalized_once(store: TriggerStore) -> None:
    store.record(*triggered(), 0)
    assert store.finalize_run("bike", 1, RunResult(outcome=RunOutcome.REJECTED, at=NOW))
    assert not store.finalize_run("bike", 1, RunResult(outcome=RunOutcome.FAILED, at=NOW))
    assert store.load("bike").consecutive_rejections == 1
    assert store.decisions("bike", 1)[0].outcome is RunOutcome.REJECTED


def test_a_run_that_lost_its_lock_cannot_finalize_the_next_one(store: TriggerStore) -> None:
    store.record(*triggered(token=2), 0)
    assert not store.finalize_run("bike", 1, RunResult(outcome=RunOutcome.PROMOTED, at=NOW))
    assert store.load("bike").open_run is not None


def test_finalizing_without_an_open_run_changes_nothing(store: TriggerStore) -> None:
    assert not store.finalize_run("bike", 1, RunResult(outcome=RunOutcome.FAILED, at=NOW))
    assert store.load("bike") == TriggerState(model="bike")


def test_signals_of_a_failed_run_are_pending_again(store: TriggerStore) -> None:
    store.record(*triggered(), 0)
    assert store.finalize_run("bike", 1, RunResult(outcome=RunOutcome.FAILED, at=NOW, snapshot_as_of=NOW))
    after = store.load("bike")
    assert after.pending_signals == {"drift": DRIFT}
    assert after.last_snapshot_as_of is None


def test_rollback_is_recorded_once_and_its_back_off_ends_when_a_version_proves_itself(store: TriggerStore) -> None:
    store.record(*triggered(), 0)
    assert store.record_rollback("bike", NOW)
    assert not store.record_rollback("bike", NOW)
    assert store.record_rollback("bike", NOW + timedelta(days=1))
    state = store.load("bike")
    assert (state.version, state.consecutive_rollbacks, state.rolled_back_at) == (3, 2, NOW + timedelta(days=1))
    assert state.open_run is not None
    assert not store.reset_rollback_backoff("bike", NOW)
    assert store.reset_rollback_backoff("bike", NOW + timedelta(days=2))
    assert not store.reset_rollback_backoff("bike", NOW + timedelta(days=3))
    assert (store.load("bike").version, store.load("bike").consecutive_rollbacks) == (4, 0)


def test_a_model_that_never_ran_may_be_rolled_back(store: TriggerStore) -> None:
    assert not store.reset_rollback_backoff("bike", NOW)
    assert store.record_rollback("bike", NOW)
    assert store.load("bike").consecutive_rollbacks == 1
    assert store.load("bike-2") == TriggerState(model="bike-2")


def test_decision_made_before_a_rollback_was_recorded_is_made_again(store: TriggerStore) -> None:
    decision, state = triggered()
    assert store.record_rollback("bike", NOW)
    assert not store.record(decision, state, 0)


def test_last_evaluation_is_the_newest_one_recorded(store: TriggerStore) -> None:
    assert store.last_evaluation("bike") is None
    first, second = (blocked(f"evaluation-{hour}", NOW + timedelta(hours=hour)) for hour in (1, 2))
    store.record_evaluation(first)
    store.record_evaluation(second)
    store.record_evaluation(first)
    assert store.last_evaluation("bike") == second
    assert store.last_evaluation("car") is None
    assert store.decisions("bike", 10) == []
    assert store.load("bike") == TriggerState(model="bike")


def test_models_do_not_share_state(store: TriggerStore) -> None:
    store.record(*triggered(), 0)
    assert store.load("bike-2") == TriggerState(model="bike-2")
