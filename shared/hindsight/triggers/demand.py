"""Which signals stand: those observed now, and those that no run has answered yet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hindsight.config.triggers import Triggers
from hindsight.core.times import format_time
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.registry.pointer import Trial
from hindsight.triggers.signal import Signal, SignalKind
from hindsight.triggers.state import Demand, RunOutcome, TriggerState

CHECK_OF = {
    SignalKind.DRIFT: CheckKind.DRIFT,
    SignalKind.PERFORMANCE: CheckKind.PERFORMANCE,
    SignalKind.ESTIMATED_PERFORMANCE: CheckKind.ESTIMATE,
}
ALARMING = frozenset({Verdict.DRIFT, Verdict.LOW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is known at ``now``: the serving version, the newest checks, the labels no snapshot has seen.

    ``new_labels`` is None where nobody counted, because an open run, or that nothing stands, settles the decision
    anyway. ``event`` is the alarm or the person's request that caused the decision; ``force`` is that person's.
    ``relabelling`` is the one under way, by its id, ``trial`` the version that is tried beside the champion.
    """

    now: datetime
    champion: str | None
    new_labels: int | None = None
    checks: Mapping[CheckKind, Check] = field(default_factory=dict)
    relabelling: str | None = None
    trial: Trial | None = None
    event: Signal | None = None
    force: bool = False

    def check(self, kind: SignalKind) -> Check | None:
        """Return the newest check behind a kind of signal."""
        return self.checks.get(CHECK_OF[kind])


def demand_now(policy: Triggers, state: TriggerState, observed: Observed) -> Demand:
    """Return every signal that stands.

    Schedule and volume stand as long as they hold; a schedule whose run failed stands until one does not. Drift and
    performance are kept until a run answers them: one that is promoted, or rejected with no bad check since; or until
    a newer check finds all well. Alarms and requests are kept until a run serves them.
    """
    standing = dict(_kept(policy, state, observed))
    for signal in _fresh(policy, state, observed):
        earlier = standing.get(signal.kind)
        standing[signal.kind] = replace(signal, at=min(signal.at, earlier.at)) if earlier else signal
    return standing


def listened_checks(policy: Triggers) -> list[SignalKind]:
    """Return the kinds of check the policy listens to."""
    return [kind for kind in CHECK_OF if getattr(policy, kind.value)]


def next_due(policy: Triggers, state: TriggerState, observed: Observed) -> tuple[datetime, timedelta] | None:
    """Return when the schedule is due next, or has been since, and its period; None without a schedule."""
    if policy.schedule is None:
        return None
    last = state.last_run_started_at
    # Without a champion nothing can be predicted: the first version is due at once, and again after every rejection.
    due = observed.now if last is None or observed.champion is None else last + policy.schedule
    return due, policy.schedule


def is_news(check: Check, state: TriggerState, observed: Observed) -> bool:
    """Return whether a check speaks of the serving version, and of a time the last run had not seen."""
    last = state.last_run_started_at
    return check.model_version == observed.champion and (last is None or check.at > last)


def is_answered(event: Signal, state: TriggerState) -> bool:
    """Return whether an alarm is older than the last run: that run began with the alarm's cause before its eyes.

    A message delivered twice, or after the scheduled check that acted on the same numbers, must not be a second run.
    """
    if event.kind is not SignalKind.ALARM or state.last_run_started_at is None:
        return False
    return event.at <= state.last_run_started_at and not _has_failed(state)


def check_evidence(check: Check) -> dict[str, object]:
    """Return what a check saw: its numbers, of which version, when, and where the whole report lies."""
    links = {"report_key": check.report_key, "page_key": check.page_key}
    return {
        "verdict": check.verdict.value,
        "reason": check.reason,
        "checked_at": format_time(check.at),
        "model_version": check.model_version,
        **{name: key for name, key in links.items() if key is not None},
        **check.summary,
    }


def _fresh(policy: Triggers, state: TriggerState, observed: Observed) -> Iterator[Signal]:
    due = next_due(policy, state, observed)
    if due is not None and due[0] <= observed.now:
        evidence = {"every_seconds": due[1].total_seconds(), "due_at": format_time(due[0])}
        yield Signal(kind=SignalKind.SCHEDULE, at=due[0], evidence=evidence)
    if policy.volume is not None and (observed.new_labels or 0) >= policy.volume:
        evidence = {"new_labels": observed.new_labels, "threshold": policy.volume}
        yield Signal(kind=SignalKind.VOLUME, at=observed.now, evidence=evidence)
    for kind in listened_checks(policy):
        check = observed.check(kind)
        if check is not None and check.verdict in ALARMING and is_news(check, state, observed):
            yield Signal(kind=kind, at=check.at, evidence=check_evidence(check))
    if observed.event is not None and not is_answered(observed.event, state):
        yield observed.event


def _kept(policy: Triggers, state: TriggerState, observed: Observed) -> Iterator[tuple[SignalKind, Signal]]:
    listened = listened_checks(policy)
    for kind, signal in state.demand.items():
        if kind in CHECK_OF:
            if kind in listened and not _settled(signal, observed):
                yield kind, signal
        elif kind is SignalKind.SCHEDULE:
            # The start of the run that failed has moved the next due date a whole period away.
            if policy.schedule is not None and _has_failed(state):
                yield kind, signal
        elif kind in {SignalKind.ALARM, SignalKind.MANUAL}:
            yield kind, signal


def _has_failed(state: TriggerState) -> bool:
    return state.open_run is None and state.last_outcome is RunOutcome.FAILED


def _settled(signal: Signal, observed: Observed) -> bool:
    if signal.evidence.get("model_version") != observed.champion:
        return True
    check = observed.check(signal.kind)
    return check is not None and check.verdict is Verdict.OK and check.at > signal.at
