"""The evaluator's runs: starts, deaths, leases, redeliveries, relabellings."""

from datetime import datetime
from typing import Any

import pytest

from hindsight.core.jobs import JobStatus
from hindsight.labels.relabelling.job import RelabelJob
from hindsight.labels.relabelling.store import RelabelEnd
from hindsight.triggers.decision import BlockCode, Decision
from hindsight.triggers.state import LEASE, RunOutcome, RunResult
from tests.unit.triggers.builders import HOUR, NOW, alarm, drift, request
from tests.unit.triggers.evaluations import COOLDOWN, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_triggered_decision_starts_one_run_with_all_it_needs(world: World) -> None:
    world.checks.put(drift())
    decision = world.evaluate()
    assert world.machine.inputs == {
        decision.decision_id: {
            "model": "bike",
            "decision_id": decision.decision_id,
            "fencing_token": 1,
            "as_of": "2026-03-01T12:00:00.000000Z",
            "reason": "drift: drift drift",
            "signals": [{"kind": "drift", "since": "2026-03-01T12:00:00.000000Z", "reason": "drift drift"}],
        }
    }
    assert world.store.decisions("bike", 5) == [decision]


def test_two_checks_at_once_are_one_run(world: World) -> None:
    world.checks.put(drift())
    rival: list[Decision] = []
    world.store.meanwhile = [lambda: rival.append(world.evaluate(NOW + HOUR))]
    slower = world.evaluate()
    assert rival[0].triggered
    assert slower.block_codes[0] in {BlockCode.OPEN_RUN, BlockCode.NO_SIGNAL}
    assert len(world.machine.inputs) == 1


def test_a_redelivered_event_is_one_decision(world: World) -> None:
    world.checks.put(drift())
    first = world.evaluate()
    assert world.evaluate() == first
    world.end(RunOutcome.PROMOTED)
    assert world.evaluate().decision_id == first.decision_id
    assert len(world.store.stored) == len(world.machine.inputs) == 1


def test_a_redelivered_alarm_that_was_blocked_is_one_decision(world: World) -> None:
    world.evaluate(event=request(event_id="r"))
    rung = alarm(NOW + HOUR, "m")
    first = world.evaluate(NOW + HOUR, rung)
    assert first.block_codes[0] is BlockCode.OPEN_RUN
    assert world.evaluate(NOW + HOUR, rung) == first
    assert len(world.store.stored) == 2


def test_a_start_prevented_by_a_crash_is_made_up_for_by_the_next_check(world: World) -> None:
    world.checks.put(drift())
    decision = world.evaluate()
    started = world.machine.inputs.pop(decision.decision_id)
    world.evaluate(NOW + HOUR)
    assert world.machine.inputs == {decision.decision_id: started}


def test_a_run_killed_without_a_result_is_failed_and_its_signals_are_answered_again(world: World) -> None:
    world.checks.put(drift())
    first = world.evaluate()
    world.machine.end(first.decision_id)
    held = world.evaluate(NOW + HOUR)
    assert held.block_codes[0] is BlockCode.COOLDOWN
    assert world.store.decision("bike", NOW, first.decision_id).outcome is RunOutcome.FAILED  # type: ignore[union-attr]
    again = world.evaluate(NOW + COOLDOWN)
    assert again.triggered
    assert [signal.kind for signal in again.active_signals] == ["drift"]
    assert again.fencing_token == 2


def test_a_lease_that_expires_frees_the_lock_and_fences_the_old_run_off(world: World) -> None:
    world.checks.put(drift())
    world.evaluate()
    assert not world.evaluate(NOW + LEASE - HOUR).triggered
    assert world.state.open_run is not None
    successor = world.evaluate(NOW + LEASE)
    assert successor.triggered
    assert not world.store.finalize_run("bike", 1, RunResult(outcome=RunOutcome.PROMOTED, at=NOW + LEASE))
    assert world.state.open_run is not None


def relabelling(known_at: datetime, **state: Any) -> RelabelJob:
    times = {"known_at": known_at, "started_at": known_at}
    return RelabelJob(model="bike", job_id="relabel-1", reason="mended", rules_revision=2, **times, **state)


def test_pending_signals_wait_for_a_relabelling_and_are_answered_after_it(world: World) -> None:
    job = relabelling(NOW)
    world.relabels.begin(job, None)
    world.relabel_runs.start(job.execution, {})
    world.checks.put(drift())
    held = world.evaluate(NOW + HOUR)
    assert held.block_codes[0] is BlockCode.RELABELLING
    assert world.machine.inputs == {}
    world.relabels.conclude("bike", job.job_id, 1, RelabelEnd(JobStatus.COMPLETED, NOW + 2 * HOUR))
    assert world.evaluate(NOW + 3 * HOUR).triggered


def test_a_relabelling_that_died_or_is_yet_to_come_holds_nothing_back(world: World) -> None:
    watch = world.evaluator.relabelling
    job = relabelling(NOW)
    world.relabels.begin(job, None)
    assert watch.under_way("bike", NOW) == job  # recorded, about to start
    assert watch.under_way("bike", NOW - HOUR) is None  # a snapshot of then sees nothing of it
    assert watch.under_way("bike", NOW + HOUR) is None  # a crash kept it from starting
    world.relabel_runs.start(job.execution, {})
    assert watch.under_way("bike", NOW + HOUR) == job
    world.relabel_runs.end(job.execution)
    assert watch.under_way("bike", NOW + HOUR) is None
    assert watch.under_way("car", NOW) is None
