"""Which signals stand: those observed now, and those that no run has answered yet."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from shared.configuration.triggers import Triggers
from shared.monitoring.check import Check, CheckKind, Verdict
from shared.times import format_time
from shared.triggers.signal import Signal, SignalKind
from shared.triggers.state import Demand, RunOutcome, TriggerState

_KIND_OF_CHECK = {SignalKind.DRIFT: CheckKind.DRIFT, SignalKind.PERFORMANCE: CheckKind.PERFORMANCE}
_ALARMING = frozenset({Verdict.DRIFT, Verdict.LOW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is known at ``now``: the serving version, the newest checks, the labels no snapshot has seen.

    ``new_labels`` is None where nobody counted, because an open run settles the decision anyway.
    ``event`` is the alarm or the person's request that caused the decision; ``force`` is that person's.
    """

    now: datetime
    champion: str | None
    new_labels: int | None = None
    drift: Check | None = None
    performance: Check | None = None
    event: Signal | None = None
    force: bool = False

    def check(self, kind: SignalKind) -> Check | None:
        """Return the newest check behind a kind of signal."""
        return self.drift if kind is SignalKind.DRIFT else self.performance


def demand_now(policy: Triggers, state: TriggerState, observed: Observed) -> Demand:
    """Return every signal that stands.

    Schedule and volume stand as long as they hold. Drift and performance are kept until a run answers them: one that
    is promoted, or rejected with no bad check since; or until a newer check finds all well. Alarms and requests are
    kept until a run serves them.
    """
    standing = dict(_kept(policy, state, observed))
    for signal in _fresh(policy, state, observed):
        earlier = standing.get(signal.kind)
        standing[signal.kind] = replace(signal, at=min(signal.at, earlier.at)) if earlier else signal
    return standing


def _fresh(policy: Triggers, state: TriggerState, observed: Observed) -> Iterator[Signal]:
    if (due := _schedule_due(policy, state, observed)) is not None:
        evidence = {"every_seconds": due[1], "due_at": format_time(due[0])}
        yield Signal(kind=SignalKind.SCHEDULE, at=due[0], evidence=evidence)
    if policy.volume is not None and (observed.new_labels or 0) >= policy.volume:
        evidence = {"new_labels": observed.new_labels, "threshold": policy.volume}
        yield Signal(kind=SignalKind.VOLUME, at=observed.now, evidence=evidence)
    for kind in listened_checks(policy):
        check = observed.check(kind)
        if check is not None and check.verdict in _ALARMING and _is_news(check, state, observed):
            yield Signal(kind=kind, at=check.at, evidence=_evidence(check))
    if observed.event is not None and not _already_answered(observed.event, state):
        yield observed.event


def listened_checks(policy: Triggers) -> list[SignalKind]:
    """Return the kinds of check the policy listens to."""
    return [kind for kind in _KIND_OF_CHECK if getattr(policy, kind.value)]


def _schedule_due(policy: Triggers, state: TriggerState, observed: Observed) -> tuple[datetime, float] | None:
    if policy.schedule is None:
        return None
    last = state.last_run_started_at
    # Without a champion nothing can be predicted: the first version is due at once, and again after every rejection.
    due = observed.now if last is None or observed.champion is None else last + policy.schedule
    return (due, policy.schedule.total_seconds()) if due <= observed.now else None


def _is_news(check: Check, state: TriggerState, observed: Observed) -> bool:
    """Return whether a check speaks of the serving version, and of a time the last run had not seen."""
    last = state.last_run_started_at
    return check.model_version == observed.champion and (last is None or check.at > last)


def _evidence(check: Check) -> dict[str, object]:
    return {
        "verdict": check.verdict,
        "reason": check.reason,
        "checked_at": format_time(check.at),
        "model_version": check.model_version,
        **check.summary,
    }


def _already_answered(event: Signal, state: TriggerState) -> bool:
    """Return whether an alarm is older than the last run: that run began with the alarm's cause before its eyes.

    A message delivered twice, or after the scheduled check that acted on the same numbers, must not be a second run.
    """
    if event.kind is not SignalKind.ALARM or state.last_run_started_at is None:
        return False
    failed = state.open_run is None and state.last_outcome is RunOutcome.FAILED
    return event.at <= state.last_run_started_at and not failed


def _kept(policy: Triggers, state: TriggerState, observed: Observed) -> Iterator[tuple[SignalKind, Signal]]:
    listened = listened_checks(policy)
    for kind, signal in state.demand.items():
        if kind in _KIND_OF_CHECK:
            if kind in listened and not _settled(signal, observed):
                yield kind, signal
        elif kind in {SignalKind.ALARM, SignalKind.MANUAL}:
            yield kind, signal


def _settled(signal: Signal, observed: Observed) -> bool:
    if signal.evidence.get("model_version") != observed.champion:
        return True
    check = observed.check(signal.kind)
    return check is not None and check.verdict is Verdict.OK and check.at > signal.at
