from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hindsight.core.errors import NotFound, Unavailable
from hindsight.core.executions import Execution
from hindsight.labels.archiving.new_label_counts import NewLabel, hour_of
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.relabelling.job import RelabelJob, RelabelStatus
from hindsight.labels.relabelling.store import RelabelEnd
from hindsight.labels.relabelling.under_way import RelabellingWatch
from hindsight.monitoring.results.check import Verdict
from hindsight.testing.aws.state_machine import InMemoryStateMachine
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.jobs.relabels import InMemoryRelabels
from hindsight.testing.models.check_store import InMemoryChecks
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.testing.models.trigger_store import InMemoryTriggers
from hindsight.testing.predictions.new_labels import InMemoryNewLabels
from hindsight.triggers.decision import BlockCode, Decision
from hindsight.triggers.evaluation.evaluator import TriggerEvaluator
from hindsight.triggers.inputs import TriggerEvent
from hindsight.triggers.state import LEASE, RunOutcome, RunResult, TriggerState
from tests.unit.triggers.builders import DAY, HOUR, NOW, SCHEDULED, alarm, drift, performance, request

COOLDOWN = DAY
CONFIGURATION = configuration(model="bike", triggers={"cooldown": "P1D", "min_new_labels": 0})


class InterruptedTriggers(InMemoryTriggers):
    """Lets another writer in between reading the state and the decision on it."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], object]] = []

    def load(self, model: str) -> TriggerState:
        state = super().load(model)
        if self.meanwhile:
            self.meanwhile.pop()()
        return state


@dataclass
class World:
    """Everything one model's triggers touch, in memory."""

    store: InterruptedTriggers = field(default_factory=InterruptedTriggers)
    checks: InMemoryChecks = field(default_factory=InMemoryChecks)
    machine: InMemoryStateMachine = field(default_factory=InMemoryStateMachine)
    registry: InMemoryRegistry = field(default_factory=InMemoryRegistry)
    relabels: InMemoryRelabels = field(default_factory=InMemoryRelabels)
    relabel_runs: InMemoryStateMachine = field(default_factory=InMemoryStateMachine)
    versions: int = 0

    def __post_init__(self) -> None:
        self.evaluator = TriggerEvaluator(
            store=self.store,
            checks=self.checks,
            configurations=InMemoryConfigurations(CONFIGURATION),
            registry=self.registry,
            new_labels=NewLabels(InMemoryNewLabels()),
            machine=self.machine,
            relabelling=RelabellingWatch(self.relabels, self.relabel_runs),
            clock=lambda: NOW,
        )
        self.promote()

    def promote(self) -> None:
        self.versions += 1
        self.registry.move_pointer("bike", promoted(f"v{self.versions}", NOW, self.registry.pointer("bike")))

    @property
    def champion(self) -> str:
        return f"v{self.versions}"

    @property
    def state(self) -> TriggerState:
        return self.store.states.get("bike", TriggerState(model="bike"))

    def evaluate(self, now: datetime = NOW, event: TriggerEvent = SCHEDULED) -> Decision:
        return self.evaluator.evaluate("bike", event, now=now)

    def end(self, outcome: RunOutcome, at: datetime = NOW) -> None:
        run = self.state.open_run
        assert run is not None
        assert self.store.finalize_run("bike", run.fencing_token, RunResult(outcome=outcome, at=at))
        self.machine.end(run.decision_id)


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


def test_writer_that_is_always_overtaken_gives_up_with_unavailable(world: World) -> None:
    world.checks.put(drift())
    others = [request(event_id=str(number)) for number in range(20)]
    world.store.meanwhile = []

    def disturb() -> None:
        other = others.pop()
        waiting, world.store.meanwhile = world.store.meanwhile, []
        world.evaluate(NOW, other)
        world.store.meanwhile = waiting

    world.store.meanwhile = [disturb] * 20
    with pytest.raises(Unavailable):
        world.evaluate(NOW + HOUR, request(NOW + HOUR, "late"))


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


def test_a_check_without_signals_writes_nothing(world: World) -> None:
    world.evaluate()
    assert world.store.states == {}
    assert world.store.stored == {}


def test_scheduled_evaluation_is_kept_though_no_decision_is_recorded(world: World) -> None:
    world.checks.put(drift(Verdict.OK))
    quiet = world.evaluate(NOW + HOUR)
    assert world.store.stored == {}
    assert world.store.last_evaluation("bike") == quiet
    assert "drift: ok" in quiet.explanation


def test_alarms_and_requests_do_not_replace_the_last_evaluation(world: World) -> None:
    scheduled = world.evaluate()
    world.evaluate(NOW + HOUR, request(event_id="r"))
    assert world.store.last_evaluation("bike") == scheduled


def relabelling(known_at: datetime, **state: Any) -> RelabelJob:
    times = {"known_at": known_at, "started_at": known_at}
    return RelabelJob(model="bike", relabel_id="relabel-1", reason="mended", rules_revision=2, **times, **state)


def test_pending_signals_wait_for_a_relabelling_and_are_answered_after_it(world: World) -> None:
    job = relabelling(NOW)
    world.relabels.begin(job, None)
    world.relabel_runs.start(job.execution, {})
    world.checks.put(drift())
    held = world.evaluate(NOW + HOUR)
    assert held.block_codes[0] is BlockCode.RELABELLING
    assert world.machine.inputs == {}
    world.relabels.conclude("bike", job.relabel_id, 1, RelabelEnd(RelabelStatus.COMPLETED, NOW + 2 * HOUR))
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


def test_an_unknown_model_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.evaluator.evaluate("car", SCHEDULED, now=NOW)


class Triggers(RuleBasedStateMachine):
    """Any order of checks, alarms, requests and run ends."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.now = NOW
        self.events = 0
        self.runs: list[datetime] = []
        self.forced: set[datetime] = set()
        self.skipped: set[datetime] = set()
        self.unanswered = False

    def decided(self, decision: Decision, *, kept: bool) -> None:
        if decision.triggered and decision.at == self.now:
            self.runs.append(self.now)
            self.unanswered = False
            if decision.forced:
                self.forced.add(self.now)
        elif kept:
            self.unanswered = True

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(verdict=st.sampled_from([Verdict.OK, Verdict.DRIFT, Verdict.INSUFFICIENT]))
    def drift_is_checked(self, verdict: Verdict) -> None:
        self.world.checks.put(drift(verdict, self.now, self.world.champion))

    @rule(verdict=st.sampled_from([Verdict.OK, Verdict.LOW]))
    def performance_is_checked(self, verdict: Verdict) -> None:
        self.world.checks.put(performance(verdict, self.now, self.world.champion))

    @rule()
    def schedule_fires(self) -> None:
        self.now += timedelta(minutes=1)
        self.decided(self.world.evaluate(self.now), kept=False)

    @rule(by_alarm=st.booleans(), force=st.booleans())
    def someone_asks(self, by_alarm: bool, force: bool) -> None:
        self.events += 1
        self.now += timedelta(minutes=1)
        event_id = str(self.events)
        event = alarm(self.now, event_id) if by_alarm else request(self.now, event_id, force=force)
        decision = self.world.evaluate(self.now, event)
        assert self.world.store.decision("bike", self.now, decision.decision_id) == decision
        self.decided(decision, kept=True)

    def is_running(self) -> bool:
        run = self.world.state.open_run
        return run is not None and self.world.machine.execution(run.decision_id) is Execution.RUNNING

    @precondition(is_running)
    @rule(outcome=st.sampled_from([RunOutcome.PROMOTED, RunOutcome.REJECTED, RunOutcome.SKIPPED]))
    def the_run_ends(self, outcome: RunOutcome) -> None:
        self.world.end(outcome, self.now)
        if outcome is RunOutcome.PROMOTED:
            self.world.promote()
        if outcome is RunOutcome.SKIPPED:
            self.skipped.add(self.runs[-1])

    @precondition(lambda self: self.world.state.open_run is not None)
    @rule(unseen=st.booleans())
    def the_run_fails(self, unseen: bool) -> None:
        run = self.world.state.open_run
        assert run is not None
        self.unanswered |= bool({"alarm", "manual"} & run.signals.keys())
        if unseen:
            self.world.machine.end(run.decision_id)
        else:
            self.world.end(RunOutcome.FAILED, self.now)

    @invariant()
    def no_run_starts_within_the_cooldown_unless_forced(self) -> None:
        for number, later in enumerate(self.runs):
            cooling = [earlier for earlier in self.runs[:number] if earlier not in self.skipped]
            assert not cooling or later - cooling[-1] >= COOLDOWN or later in self.forced

    @invariant()
    def every_start_has_its_own_token(self) -> None:
        tokens = [run["fencing_token"] for run in self.world.machine.inputs.values()]
        assert sorted(tokens) == list(range(1, len(tokens) + 1))
        assert self.world.state.fencing_token == len(tokens)

    @invariant()
    def only_the_newest_run_holds_the_lock(self) -> None:
        run = self.world.state.open_run
        assert run is None or run.fencing_token == self.world.state.fencing_token

    def teardown(self) -> None:
        """However it went: once runs end and time passes, what was asked for is served."""
        for _ in range(2):
            if self.is_running():
                self.world.end(RunOutcome.SKIPPED, self.now)
            self.now += 40 * DAY
            decision = self.world.evaluate(self.now)
            if self.unanswered:
                asked = {signal.kind for signal in decision.active_signals}
                assert decision.triggered
                assert asked & {"alarm", "manual"}
            self.unanswered = False


TestTriggers = Triggers.TestCase
TestTriggers.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def test_a_scheduled_check_settles_what_the_stream_can_deliver_no_more_by_the_real_clock(world: World) -> None:
    store = world.evaluator.new_labels.store
    old, fresh = NOW - 30 * HOUR, NOW - 2 * HOUR
    world.evaluator.new_labels.note([NewLabel("bike", "a", old, old), NewLabel("bike", "b", fresh, fresh)])
    far = NOW + 1000 * HOUR
    for event in (request(event_id="m"), SCHEDULED):
        before = store.marks(["bike"])
        decision = world.evaluate(far, event)
        assert before == {}
        assert decision is not None
    assert store.marks(["bike"])["bike"].settled == NOW - 29 * HOUR
    assert [found.hour for found in store.hours("bike", NOW - 29 * HOUR, NOW)] == [hour_of(fresh)]
