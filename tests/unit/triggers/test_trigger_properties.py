"""Any order of checks, alarms, requests, relabellings and run ends, against a model simple enough to be seen right."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hindsight.config.triggers import AtLeast, RunBudget, SignalSwitches, Triggers
from hindsight.core.times import parse_time
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.triggers.decision import BlockCode, Decision
from hindsight.triggers.evaluation.decide import decide, worth_recording
from hindsight.triggers.inputs import Cause, TriggerEvent, TriggerInputs
from hindsight.triggers.signals.registry import SIGNALS
from hindsight.triggers.state import LEASE, RunOutcome, RunResult, TriggerState, finalized
from tests.unit.triggers.builders import DAY, HOUR, NOW, SCHEDULED, alarm, check, request

TICK = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)
EVENTS = ("alarm", "manual")
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
        self.asked: set[str] = set()
        self.serving: set[str] = set()
        self.is_open = False
        self.starts: list[datetime] = []
        self.skipped: set[datetime] = set()
        self.rejections = 0

    def observe(self, event: TriggerEvent) -> TriggerInputs:
        counted = None if self.state.open_run else self.new_labels
        return TriggerInputs(
            now=self.now,
            event=event,
            policy=self.policy,
            state=self.state,
            champion="v1",
            new_labels=counted,
            checks=dict(self.checks),
            relabelling=self.relabelling,
        )

    def ask(self, event: TriggerEvent) -> None:
        self.now += TICK
        if self.state.open_run and self.now >= self.state.open_run.lease_expires_at:
            self.end(RunOutcome.FAILED)
        before, inputs = self.state, self.observe(event)
        decision, after = decide(inputs)
        if event.signal is not None:
            self.asked.add(event.signal.kind)
        if decision.triggered:
            self.require_allowed(decision)
            self.starts.append(self.now)
            self.serving, self.asked, self.is_open = set(self.asked), set(), True
        else:
            self.require_true(decision, inputs)
        if worth_recording(decision, before):
            self.state = after
        else:
            assert event.cause is Cause.SCHEDULE
            assert after.pending_signals.keys() == before.pending_signals.keys() | {
                signal.kind for signal in decision.active_signals
            }
        self.require_complete(decision)

    def require_allowed(self, decision: Decision) -> None:
        """A run that starts breaks no rule, whatever asked for it."""
        assert not self.is_open
        kinds = {signal.kind for signal in decision.active_signals}
        if decision.forced and "manual" in kinds:
            return
        assert self.relabelling is None
        assert self.new_labels >= self.policy.min_new_labels
        cooling = [start for start in self.starts if start not in self.skipped]
        if cooling:
            doubled = max(self.policy.cooldown, HOUR) * 2 ** min(self.rejections, 3)
            wait = doubled if self.rejections else self.policy.cooldown
            assert self.now - cooling[-1] >= max(wait, self.policy.cooldown)
        if self.policy.max_runs:
            within = [start for start in self.starts if self.now - start < self.policy.max_runs.per]
            assert len(within) < self.policy.max_runs.count
        counted = kinds - set(EVENTS)
        # A version serves, so that none is the first.
        switches = SignalSwitches.model_fields.keys() - {"first_version"}
        possible = sum(bool(getattr(self.policy, name)) for name in switches)
        asked_for = {"any": 1, "all": possible}.get(str(self.policy.combine), min(2, possible))
        assert kinds & set(EVENTS) or len(counted) >= max(1, asked_for)

    def require_true(self, decision: Decision, inputs: TriggerInputs) -> None:
        """A blocker ends at the moment it names, and not before."""
        for blocker in decision.blocked_by:
            if "until" in blocker.details:
                until = parse_time(blocker.details["until"])
                assert until > self.now
                early, late = (decide(replace(inputs, now=moment))[0] for moment in (until - MOMENT, until))
                assert blocker.code in early.block_codes
                assert blocker.code not in late.block_codes

    def require_complete(self, decision: Decision) -> None:
        """One record has every kind of signal, and in words what it has in numbers."""
        assert [signal.kind for signal in decision.signals] == [signal.kind for signal in SIGNALS]
        assert all(signal.reason and signal.active == (signal.since is not None) for signal in decision.signals)
        assert decision.explanation.startswith("Retrains" if decision.triggered else "Did not retrain")
        assert all(blocker.reason in decision.explanation for blocker in decision.blocked_by)
        assert Decision.from_plain(decision.to_plain()) == decision
        if BlockCode.NO_SIGNAL in decision.block_codes:
            assert not decision.active_signals

    def end(self, outcome: RunOutcome) -> None:
        token = self.state.fencing_token
        after = finalized(self.state, token, RunResult(outcome=outcome, at=self.now))
        assert after is not None
        assert finalized(after, token, RunResult(outcome=outcome, at=self.now)) is None
        if outcome is RunOutcome.FAILED:
            self.asked |= self.serving
        passed = dict.fromkeys((RunOutcome.PROMOTED, RunOutcome.CANARY, RunOutcome.SHADOW), 0)
        self.rejections = {RunOutcome.REJECTED: self.rejections + 1, **passed}.get(outcome, self.rejections)
        if outcome is RunOutcome.SKIPPED:
            self.skipped.add(self.starts[-1])
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
        self.ask(SCHEDULED)

    @rule()
    def an_alarm_rings(self) -> None:
        self.ask(alarm(self.now + TICK, str(self.now)))

    @rule(force=st.booleans())
    def a_person_asks(self, force: bool) -> None:
        self.ask(request(self.now + TICK, str(self.now), force=force))

    @precondition(lambda self: self.is_open)
    @rule(outcome=st.sampled_from(list(RunOutcome)))
    def the_run_ends(self, outcome: RunOutcome) -> None:
        self.end(outcome)

    @precondition(lambda self: self.is_open)
    @rule()
    def the_run_dies_unseen(self) -> None:
        token = self.state.fencing_token
        self.now += LEASE
        self.ask(SCHEDULED)
        assert finalized(self.state, token, RunResult(outcome=RunOutcome.PROMOTED, at=self.now)) is None

    @invariant()
    def nothing_asked_for_is_lost(self) -> None:
        assert {kind for kind in EVENTS if kind in self.state.pending_signals} == self.asked & set(EVENTS)

    @invariant()
    def there_is_one_run_at_most_and_it_is_the_newest(self) -> None:
        run = self.state.open_run
        assert (run is not None) == self.is_open
        assert self.state.fencing_token == len(self.starts)
        assert self.state.consecutive_rejections == self.rejections
        assert run is None or (run.fencing_token, run.started_at) == (len(self.starts), self.starts[-1])

    def teardown(self) -> None:
        """Once nothing blocks a run, every pending request is answered."""
        if self.is_open:
            self.end(RunOutcome.SKIPPED)
        self.now += 60 * DAY
        self.new_labels, self.relabelling = 1000, None
        asked = set(self.asked)
        self.ask(SCHEDULED)
        assert not asked or self.is_open
        assert not self.asked


TestDecisions = Decisions.TestCase
TestDecisions.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
