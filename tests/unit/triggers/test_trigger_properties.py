"""Any order of checks, alarms, requests, relabellings and run ends, against a model simple enough to be seen right."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hindsight.config.triggers import AtLeast, RunBudget, Triggers
from hindsight.core.times import parse_time
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.triggers.decide import Occasion, decide, worth_recording
from hindsight.triggers.decision import Cause, Decision
from hindsight.triggers.demand import Observed
from hindsight.triggers.signal import Signal, SignalKind
from hindsight.triggers.state import LEASE, Conclusion, RunOutcome, TriggerState, concluded
from hindsight.triggers.suppression import SuppressedBy
from tests.unit.triggers.builders import DAY, HOUR, NOW, alarm, check, request

TICK = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)
EVENTS = (SignalKind.ALARM, SignalKind.MANUAL)
CHECKS = (CheckKind.DRIFT, CheckKind.PERFORMANCE, CheckKind.ESTIMATE)
POLICIES = st.builds(
    Triggers,
    schedule=st.sampled_from([None, 3 * DAY]),
    volume=st.sampled_from([None, 500]),
    drift=st.booleans(),
    performance=st.booleans(),
    estimated_performance=st.booleans(),
    combine=st.sampled_from(["any", "all", AtLeast(at_least=2)]),
    cooldown=st.sampled_from([timedelta(0), 12 * HOUR, DAY]),
    min_new_labels=st.sampled_from([0, 200]),
    max_runs=st.sampled_from([None, RunBudget(count=2, per=5 * DAY)]),
)


class Decisions(RuleBasedStateMachine):
    """The model keeps what was asked for and not served, the starts, and the rejections in a row."""

    @initialize(policy=POLICIES)
    def begin(self, policy: Triggers) -> None:
        self.policy = policy
        self.state = TriggerState(model="bike")
        self.now = NOW
        self.checks: dict[CheckKind, Check] = {}
        self.new_labels = 0
        self.relabelling: str | None = None
        self.asked: set[SignalKind] = set()
        self.serving: set[SignalKind] = set()
        self.is_open = False
        self.starts: list[datetime] = []
        self.rejections = 0

    def look(self, **known: Any) -> Observed:
        counted = None if self.state.open_run else self.new_labels
        seen = {"checks": dict(self.checks), "relabelling": self.relabelling, **known}
        return Observed(now=self.now, champion="v1", new_labels=counted, **seen)

    def ask(self, occasion: Occasion, event: Signal | None = None, *, force: bool = False) -> None:
        self.now += TICK
        if self.state.open_run and self.now >= self.state.open_run.lease_expires_at:
            self.end(RunOutcome.FAILED)
        before, observed = self.state, self.look(event=event, force=force)
        decision, after = decide(self.policy, before, observed, occasion)
        if event is not None:
            self.asked.add(event.kind)
        if decision.fired:
            self.require_allowed(decision)
            self.starts.append(self.now)
            self.serving, self.asked, self.is_open = set(self.asked), set(), True
        else:
            self.require_true(decision, before, observed, occasion)
        if worth_recording(decision, before):
            self.state = after
        else:
            assert occasion.cause is Cause.SCHEDULE
            assert after.demand.keys() == before.demand.keys() | {signal.kind for signal in decision.signals}
        self.require_told(decision)

    def require_allowed(self, decision: Decision) -> None:
        """A run that starts breaks no rule, whatever asked for it."""
        assert not self.is_open
        kinds = {signal.kind for signal in decision.signals}
        if decision.forced and SignalKind.MANUAL in kinds:
            return
        assert self.relabelling is None
        assert self.new_labels >= self.policy.min_new_labels
        if self.starts:
            doubled = max(self.policy.cooldown, HOUR) * 2 ** min(self.rejections, 3)
            wait = doubled if self.rejections else self.policy.cooldown
            assert self.now - self.starts[-1] >= max(wait, self.policy.cooldown)
        if self.policy.max_runs:
            within = [start for start in self.starts if self.now - start < self.policy.max_runs.per]
            assert len(within) < self.policy.max_runs.count
        counted = kinds - set(EVENTS)
        heard = [self.policy.schedule, self.policy.volume, self.policy.drift, self.policy.performance]
        possible = sum(bool(setting) for setting in (*heard, self.policy.estimated_performance))
        asked_for = {"any": 1, "all": possible}.get(str(self.policy.combine), min(2, possible))
        assert kinds & set(EVENTS) or len(counted) >= max(1, asked_for)

    def require_true(self, decision: Decision, before: TriggerState, seen: Observed, occasion: Occasion) -> None:
        """What holds a run back gives way at the moment it names, and not before."""
        for obstacle in decision.obstacles:
            if "until" in obstacle.numbers:
                until = parse_time(obstacle.numbers["until"])
                assert until > self.now
                early, late = (
                    decide(self.policy, before, replace(seen, now=moment), occasion)[0]
                    for moment in (until - MOMENT, until)
                )
                assert obstacle.by in early.held_back_by
                assert obstacle.by not in late.held_back_by

    def require_told(self, decision: Decision) -> None:
        """One record tells of every kind of signal, and in words what it tells in numbers."""
        assert [kind.kind for kind in decision.considered] == list(SignalKind)
        standing = {kind.kind for kind in decision.considered if kind.stands}
        assert standing == {signal.kind for signal in decision.signals}
        assert all(kind.reason for kind in decision.considered)
        assert decision.explanation.startswith("Retrains" if decision.fired else "Did not retrain")
        assert all(obstacle.reason in decision.explanation for obstacle in decision.obstacles)
        assert Decision.from_json(decision.to_json()) == decision
        if SuppressedBy.NO_SIGNAL in decision.held_back_by:
            assert not standing

    def end(self, outcome: RunOutcome) -> None:
        token = self.state.fencing_token
        after = concluded(self.state, token, Conclusion(outcome=outcome, at=self.now))
        assert after is not None
        assert concluded(after, token, Conclusion(outcome=outcome, at=self.now)) is None
        if outcome is RunOutcome.FAILED:
            self.asked |= self.serving
        passed = dict.fromkeys((RunOutcome.PROMOTED, RunOutcome.CANARY, RunOutcome.SHADOW), 0)
        self.rejections = {RunOutcome.REJECTED: self.rejections + 1, **passed}.get(outcome, self.rejections)
        self.state, self.is_open, self.serving = after, False, set()

    @rule(hours=st.sampled_from([1, 5, 20, 30]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(kind=st.sampled_from(CHECKS), verdict=st.sampled_from(list(Verdict)), version=st.sampled_from(["v1", "v0"]))
    def a_check_is_made(self, kind: CheckKind, verdict: Verdict, version: str) -> None:
        self.now += TICK
        self.checks[kind] = check(kind, verdict, self.now, version)

    @rule(count=st.sampled_from([0, 150, 300, 700]))
    def labels_come(self, count: int) -> None:
        self.new_labels = count

    @rule(name=st.sampled_from([None, "relabel-1"]))
    def labels_are_made_anew_or_not(self, name: str | None) -> None:
        self.relabelling = name

    @rule()
    def the_clock_asks(self) -> None:
        self.ask(Occasion(cause=Cause.SCHEDULE))

    @rule()
    def an_alarm_rings(self) -> None:
        self.ask(Occasion(cause=Cause.ALARM, event_id=str(self.now)), alarm(self.now + TICK))

    @rule(force=st.booleans())
    def a_person_asks(self, force: bool) -> None:
        self.ask(Occasion(cause=Cause.MANUAL, event_id=str(self.now)), request(self.now + TICK), force=force)

    @precondition(lambda self: self.is_open)
    @rule(outcome=st.sampled_from(list(RunOutcome)))
    def the_run_ends(self, outcome: RunOutcome) -> None:
        self.end(outcome)

    @precondition(lambda self: self.is_open)
    @rule()
    def the_run_dies_unseen(self) -> None:
        token = self.state.fencing_token
        self.now += LEASE
        self.ask(Occasion(cause=Cause.SCHEDULE))
        assert concluded(self.state, token, Conclusion(outcome=RunOutcome.PROMOTED, at=self.now)) is None

    @invariant()
    def nothing_asked_for_is_lost(self) -> None:
        assert {kind for kind in EVENTS if kind in self.state.demand} == self.asked & set(EVENTS)

    @invariant()
    def there_is_one_run_at_most_and_it_is_the_newest(self) -> None:
        run = self.state.open_run
        assert (run is not None) == self.is_open
        assert self.state.fencing_token == len(self.starts)
        assert self.state.consecutive_rejections == self.rejections
        assert run is None or (run.fencing_token, run.started_at) == (len(self.starts), self.starts[-1])

    def teardown(self) -> None:
        """However it went: once nothing stands in the way, what was asked for is served."""
        if self.is_open:
            self.end(RunOutcome.STOPPED)
        self.now += 60 * DAY
        self.new_labels, self.relabelling = 1000, None
        asked = set(self.asked)
        self.ask(Occasion(cause=Cause.SCHEDULE))
        assert not asked or self.is_open
        assert not self.asked


TestDecisions = Decisions.TestCase
TestDecisions.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
