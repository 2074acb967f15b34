"""One suite judges the fake and the adapter."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hindsight.adapters.models_table.trigger_table import DynamoTriggers
from hindsight.testing.models.trigger_store import InMemoryTriggers
from hindsight.triggers.considered import Consideration
from hindsight.triggers.decision import Cause, Decision
from hindsight.triggers.obstacles import Obstacle
from hindsight.triggers.signal import Signal, SignalKind
from hindsight.triggers.state import Conclusion, OpenRun, RunOutcome, Suppression, TriggerState
from hindsight.triggers.store import TriggerStore
from hindsight.triggers.suppression import SuppressedBy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DRIFT = Signal(kind=SignalKind.DRIFT, at=NOW, evidence={"share": 0.5, "features": ["hour"], "threshold": 1.0})
MANUAL = Signal(kind=SignalKind.MANUAL, at=NOW, evidence={"reason": "new season", "nothing": None})


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[TriggerStore]:
    if request.param == "in_memory":
        yield InMemoryTriggers()
    else:
        yield DynamoTriggers("models", request.getfixturevalue("dynamodb"))


def fired(decision_id: str = "retrain-1", at: datetime = NOW, token: int = 1) -> tuple[Decision, TriggerState]:
    decision = Decision(
        decision_id=decision_id,
        model="bike",
        at=at,
        cause=Cause.SCHEDULE,
        reason="drift",
        signals=(DRIFT,),
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
        serving={SignalKind.DRIFT: DRIFT},
    )
    state = TriggerState(
        model="bike",
        version=1,
        fencing_token=token,
        open_run=run,
        run_starts=(at,),
        last_run_started_at=at,
        last_fired_id=decision_id,
    )
    return decision, state


def suppressed(decision_id: str, at: datetime) -> Decision:
    return Decision(
        decision_id=decision_id,
        model="bike",
        at=at,
        cause=Cause.MANUAL,
        reason="an open run",
        signals=(MANUAL,),
        obstacles=(
            Obstacle(by=SuppressedBy.OPEN_RUN, reason="a run is open", numbers={"decision_id": "retrain-0"}),
            Obstacle(by=SuppressedBy.MIN_NEW_LABELS, reason="too few", numbers={"have": 3, "need": 200}),
        ),
        considered=(
            Consideration(kind=SignalKind.VOLUME, stands=False, reason="3 of 500", evidence={"since": None}),
            Consideration(kind=SignalKind.MANUAL, stands=True, reason="new season"),
        ),
        explanation="Did not retrain although asked to, because a run is open; too few.",
        requested_by="operator",
        forced=True,
    )


def test_a_model_without_history_has_a_new_state(store: TriggerStore) -> None:
    assert store.load("bike") == TriggerState(model="bike")
    assert store.decisions("bike", 10) == []


def test_a_recorded_decision_and_its_state_come_back_as_they_were(store: TriggerStore) -> None:
    decision, state = fired()
    assert store.record(decision, state, 0)
    assert store.load("bike") == state
    assert store.decisions("bike", 10) == [decision]
    assert store.decision("bike", NOW, "retrain-1") == decision
    assert store.decision("bike", NOW, "another") is None


def test_every_field_of_a_state_comes_back(store: TriggerStore) -> None:
    decision, state = fired()
    full = replace(
        state,
        demand={SignalKind.DRIFT: DRIFT, SignalKind.MANUAL: MANUAL},
        last_suppression=Suppression(suppressed_by="cooldown", signals=(SignalKind.DRIFT, SignalKind.MANUAL)),
        last_outcome=RunOutcome.REJECTED,
        last_concluded_at=NOW,
        consecutive_rejections=3,
        consecutive_rollbacks=2,
        rolled_back_at=NOW,
        last_snapshot_as_of=NOW,
        last_dataset_id="d1",
    )
    assert store.record(decision, full, 0)
    assert store.load("bike") == full


def test_a_run_that_waits_holds_its_lock_longer_and_never_shorter(store: TriggerStore) -> None:
    decision, state = fired(token=3)
    store.record(decision, state, 0)
    assert store.extend_lease("bike", 3, NOW + timedelta(days=4))
    assert store.extend_lease("bike", 3, NOW + timedelta(days=2))
    run = store.load("bike").open_run
    assert run is not None
    assert run.lease_expires_at == NOW + timedelta(days=4)
    assert store.load("bike") == replace(state, version=3, open_run=run)


def test_a_run_that_lost_its_lock_extends_nothing(store: TriggerStore) -> None:
    assert not store.extend_lease("bike", 1, NOW + timedelta(days=4))
    decision, state = fired(token=3)
    store.record(decision, state, 0)
    assert not store.extend_lease("bike", 2, NOW + timedelta(days=4))
    assert store.load("bike") == state


def test_of_two_decisions_made_from_one_state_only_one_is_stored(store: TriggerStore) -> None:
    first, state = fired("retrain-1")
    second, rival = fired("retrain-2")
    assert store.record(first, state, 0)
    assert not store.record(second, rival, 0)
    assert store.load("bike").last_fired_id == "retrain-1"
    assert store.decisions("bike", 10) == [first]


def test_a_later_state_replaces_only_the_version_it_was_made_from(store: TriggerStore) -> None:
    decision, state = fired()
    store.record(decision, state, 0)
    later = suppressed("retrain-2", NOW + timedelta(hours=1))
    changed = replace(state, version=2, demand={SignalKind.MANUAL: MANUAL})
    assert not store.record(later, changed, 5)
    assert store.record(later, changed, 1)
    assert store.load("bike") == changed


def test_decisions_come_newest_first_and_no_more_than_asked_for(store: TriggerStore) -> None:
    _, state = fired()
    recorded = [suppressed(f"retrain-{hour}", NOW + timedelta(hours=hour)) for hour in range(5)]
    for version, decision in enumerate(recorded):
        assert store.record(decision, replace(state, version=version + 1), version)
    assert store.decisions("bike", 2) == [recorded[4], recorded[3]]
    assert store.decisions("another", 2) == []


def test_concluding_releases_the_lock_and_notes_the_outcome(store: TriggerStore) -> None:
    decision, state = fired()
    store.record(decision, state, 0)
    conclusion = Conclusion(
        outcome=RunOutcome.PROMOTED,
        at=NOW + timedelta(hours=1),
        reason="better by 0.02",
        version="v1",
        dataset_id="d1",
        snapshot_as_of=NOW,
    )
    assert store.conclude("bike", 1, conclusion)
    after = store.load("bike")
    assert after.open_run is None
    assert (after.version, after.last_outcome, after.last_dataset_id) == (2, RunOutcome.PROMOTED, "d1")
    assert after.last_snapshot_as_of == NOW
    [kept] = store.decisions("bike", 1)
    assert (kept.outcome, kept.outcome_reason) == (RunOutcome.PROMOTED, "better by 0.02")
    assert (kept.outcome_version, kept.concluded_at) == ("v1", conclusion.at)
    assert kept.signals == decision.signals


def test_a_run_is_concluded_once(store: TriggerStore) -> None:
    store.record(*fired(), 0)
    assert store.conclude("bike", 1, Conclusion(outcome=RunOutcome.REJECTED, at=NOW))
    assert not store.conclude("bike", 1, Conclusion(outcome=RunOutcome.FAILED, at=NOW))
    assert store.load("bike").consecutive_rejections == 1
    assert store.decisions("bike", 1)[0].outcome is RunOutcome.REJECTED


def test_a_run_that_lost_its_lock_cannot_conclude_the_next_one(store: TriggerStore) -> None:
    store.record(*fired(token=2), 0)
    assert not store.conclude("bike", 1, Conclusion(outcome=RunOutcome.PROMOTED, at=NOW))
    assert store.load("bike").open_run is not None


def test_concluding_where_nothing_runs_changes_nothing(store: TriggerStore) -> None:
    assert not store.conclude("bike", 1, Conclusion(outcome=RunOutcome.FAILED, at=NOW))
    assert store.load("bike") == TriggerState(model="bike")


def test_a_failed_run_gives_its_demand_back(store: TriggerStore) -> None:
    store.record(*fired(), 0)
    assert store.conclude("bike", 1, Conclusion(outcome=RunOutcome.FAILED, at=NOW, snapshot_as_of=NOW))
    after = store.load("bike")
    assert after.demand == {SignalKind.DRIFT: DRIFT}
    assert after.last_snapshot_as_of is None


def test_a_rollback_is_noted_once_and_ends_when_a_version_proves_itself(store: TriggerStore) -> None:
    store.record(*fired(), 0)
    assert store.note_rollback("bike", NOW)
    assert not store.note_rollback("bike", NOW)
    assert store.note_rollback("bike", NOW + timedelta(days=1))
    state = store.load("bike")
    assert (state.version, state.consecutive_rollbacks, state.rolled_back_at) == (3, 2, NOW + timedelta(days=1))
    assert state.open_run is not None
    assert not store.note_trust("bike", NOW)
    assert store.note_trust("bike", NOW + timedelta(days=2))
    assert not store.note_trust("bike", NOW + timedelta(days=3))
    assert (store.load("bike").version, store.load("bike").consecutive_rollbacks) == (4, 0)


def test_a_model_that_never_ran_may_be_rolled_back(store: TriggerStore) -> None:
    assert not store.note_trust("bike", NOW)
    assert store.note_rollback("bike", NOW)
    assert store.load("bike").consecutive_rollbacks == 1
    assert store.load("bike-2") == TriggerState(model="bike-2")


def test_a_decision_made_before_a_rollback_was_noted_is_made_again(store: TriggerStore) -> None:
    decision, state = fired()
    assert store.note_rollback("bike", NOW)
    assert not store.record(decision, state, 0)


def test_the_last_look_is_the_newest_whatever_was_recorded(store: TriggerStore) -> None:
    assert store.last_look("bike") is None
    first, second = (suppressed(f"look-{hour}", NOW + timedelta(hours=hour)) for hour in (1, 2))
    store.note_look(first)
    store.note_look(second)
    store.note_look(first)
    assert store.last_look("bike") == second
    assert store.last_look("car") is None
    assert store.decisions("bike", 10) == []
    assert store.load("bike") == TriggerState(model="bike")


def test_models_do_not_share_state(store: TriggerStore) -> None:
    store.record(*fired(), 0)
    assert store.load("bike-2") == TriggerState(model="bike-2")
