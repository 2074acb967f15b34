"""The evaluator's runs: starts, deaths, leases, redeliveries, relabellings."""

from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hindsight.core.errors import NotFound, Unavailable
from hindsight.core.executions import Execution
from hindsight.core.times import hour_of
from hindsight.labels.archiving.new_label_counts import NewLabel
from hindsight.monitoring.results.check import Verdict
from hindsight.triggers.decision import Decision
from hindsight.triggers.state import RunOutcome
from tests.unit.triggers.builders import DAY, HOUR, NOW, SCHEDULED, alarm, drift, performance, request
from tests.unit.triggers.evaluations import COOLDOWN, World


@pytest.fixture
def world() -> World:
    return World()


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
        """Once runs end and time passes, every pending request is served."""
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


def test_scheduled_check_settles_hours_that_the_stream_can_no_longer_deliver_by_the_real_clock(world: World) -> None:
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
