"""What a decision looked at: of every kind of signal whether it stands, and if not, why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hindsight.config.triggers import Triggers
from hindsight.core.times import format_time
from hindsight.triggers.demand import (
    ALARMING,
    Observed,
    check_evidence,
    is_answered,
    is_news,
    listened_checks,
    next_due,
)
from hindsight.triggers.signal import SUFFICIENT_ALONE, Signal, SignalKind
from hindsight.triggers.state import Demand, TriggerState

NOT_LISTENED = "the policy does not listen to it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consideration:
    """One kind of signal as a decision saw it; of one that does not stand ``evidence`` has the numbers."""

    kind: SignalKind
    stands: bool
    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_heard(self) -> bool:
        """Whether the policy listens to this kind."""
        return self.reason != NOT_LISTENED

    def to_json(self) -> dict[str, Any]:
        """Return the consideration as operators see it and as it is kept."""
        return {
            "kind": self.kind.value,
            "stands": self.stands,
            "reason": self.reason,
            "evidence": dict(self.evidence),
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Consideration":
        """Return the consideration that ``to_json`` showed."""
        return cls(kind=SignalKind(row["kind"]), stands=row["stands"], reason=row["reason"], evidence=row["evidence"])


def consider(policy: Triggers, state: TriggerState, observed: Observed, demand: Demand) -> tuple[Consideration, ...]:
    """Return every kind of signal there is, each with what was seen of it."""
    return tuple(
        Consideration(kind=kind, stands=True, reason=described(demand[kind]))
        if kind in demand
        else _absent(kind, policy, state, observed)
        for kind in SignalKind
    )


def described(signal: Signal) -> str:
    """Return a signal in a few words.

    >>> from datetime import UTC, datetime
    >>> evidence = {"new_labels": 5200, "threshold": 5000}
    >>> described(Signal(kind=SignalKind.VOLUME, at=datetime(2026, 3, 1, tzinfo=UTC), evidence=evidence))
    '5200 new labels reach 5000'
    """
    evidence = signal.evidence
    if signal.kind is SignalKind.VOLUME:
        return f"{evidence['new_labels']} new labels reach {evidence['threshold']}"
    if signal.kind is SignalKind.SCHEDULE:
        return f"due since {evidence['due_at']}"
    return str(evidence.get("reason") or "no reason given")


def _absent(kind: SignalKind, policy: Triggers, state: TriggerState, observed: Observed) -> Consideration:
    if kind is SignalKind.SCHEDULE:
        return _schedule(policy, state, observed)
    if kind is SignalKind.VOLUME:
        return _volume(policy, state, observed)
    if kind in SUFFICIENT_ALONE:
        return _event(kind, state, observed)
    return _check(kind, policy, state, observed)


def _schedule(policy: Triggers, state: TriggerState, observed: Observed) -> Consideration:
    due = next_due(policy, state, observed)
    if due is None:
        return _unheard(SignalKind.SCHEDULE)
    evidence = {"every_seconds": due[1].total_seconds(), "due_at": format_time(due[0])}
    reason = f"due at {evidence['due_at']}"
    return Consideration(kind=SignalKind.SCHEDULE, stands=False, reason=reason, evidence=evidence)


def _volume(policy: Triggers, state: TriggerState, observed: Observed) -> Consideration:
    if policy.volume is None:
        return _unheard(SignalKind.VOLUME)
    since = state.last_snapshot_as_of
    evidence = {
        "new_labels": observed.new_labels,
        "threshold": policy.volume,
        "since": format_time(since) if since else None,
    }
    counted = observed.new_labels is not None
    reason = f"{observed.new_labels} of {policy.volume} new labels" if counted else "not counted while a run is open"
    return Consideration(kind=SignalKind.VOLUME, stands=False, reason=reason, evidence=evidence)


def _event(kind: SignalKind, state: TriggerState, observed: Observed) -> Consideration:
    event = observed.event
    if event is not None and event.kind is kind and is_answered(event, state):
        reason = f"{described(event)}, at {format_time(event.at)}: the run that began after it has it in view"
        return Consideration(kind=kind, stands=False, reason=reason, evidence=event.evidence)
    return Consideration(kind=kind, stands=False, reason="none that no run has served")


def _check(kind: SignalKind, policy: Triggers, state: TriggerState, observed: Observed) -> Consideration:
    if kind not in listened_checks(policy):
        return _unheard(kind)
    check = observed.check(kind)
    if check is None:
        serves = "not checked yet" if observed.champion else "no version serves that could be checked"
        return Consideration(kind=kind, stands=False, reason=serves)
    reason = f"{check.verdict.value}, {check.reason or 'no reason given'}; checked at {format_time(check.at)}"
    if check.model_version != observed.champion:
        reason += f" of {check.model_version}, which no longer serves"
    elif check.verdict in ALARMING and not is_news(check, state, observed):
        reason += ", before the last run began"
    return Consideration(kind=kind, stands=False, reason=reason, evidence=check_evidence(check))


def _unheard(kind: SignalKind) -> Consideration:
    return Consideration(kind=kind, stands=False, reason=NOT_LISTENED)
