"""The decision: from the signals that are active to a run or what blocks it, and to the state after it."""

from datetime import datetime, timedelta
from typing import Any

from hindsight.core import compact_json
from hindsight.core.times import format_time, moment_name
from hindsight.triggers.decision import BlockCode, Blocker, Decision
from hindsight.triggers.evaluation.blockers import find_blockers
from hindsight.triggers.inputs import Cause, TriggerEvent, TriggerInputs
from hindsight.triggers.signals.event import ManualSignal
from hindsight.triggers.signals.registry import CLAUSES, evaluate_signals, name_of
from hindsight.triggers.state import LEASE, BlockedSignals, OpenRun, PendingSignals, TriggerState
from hindsight.triggers.status import SignalRole, SignalStatus

_MIN_MEMORY = timedelta(days=30)


def decide(inputs: TriggerInputs) -> tuple[Decision, TriggerState]:
    """Decide whether to retrain; return the decision and the state after it.

    Pure: equal arguments give the same decision with the same id, so that a redelivered event repeats one decision
    instead of adding another.
    """
    state, signals = inputs.state, evaluate_signals(inputs)
    pending = {signal.kind: signal for signal in signals if signal.active}
    blockers = find_blockers(signals, inputs)
    code = blockers[0].code if blockers else None
    decision = Decision(
        decision_id=decision_id(state.model, inputs.now, inputs.event, code),
        model=state.model,
        at=inputs.now,
        cause=inputs.event.cause,
        reason=_reason(pending, blockers),
        signals=signals,
        blocked_by=blockers,
        explanation=_explanation(signals, pending, blockers),
        new_labels=inputs.new_labels,
        policy=inputs.policy.model_dump(mode="json"),
        state=_excerpt(inputs),
        forced=inputs.event.force,
        actor=_requester(pending),
        fencing_token=None if blockers else state.fencing_token + 1,
    )
    return decision, _blocked(state, pending, code) if code else _triggered(inputs, pending, decision)


def decision_id(model: str, at: datetime, event: TriggerEvent, code: BlockCode | None) -> str:
    """Build the id of a decision: a name a state machine's execution may have, in order of time.

    It depends on what was decided, so that the same moment evaluated again after the facts changed is a new decision.
    """
    parts = [model, format_time(at), event.cause, event.event_id, code or "triggered"]
    return f"{moment_name(at)}-{compact_json.digest(parts)[:16]}"


def has_triggered(state: TriggerState, at: datetime, event: TriggerEvent) -> bool:
    """Judge whether the last run that started was started by this very event."""
    return state.last_triggered_id == decision_id(state.model, at, event, None)


def worth_recording(decision: Decision, state: TriggerState) -> bool:
    """Judge whether a decision adds anything to those recorded.

    Every run, alarm and request is recorded. Of scheduled evaluations that block the same signals for the same reason
    hour after hour only the first is, and none where no signal is active.
    """
    if decision.triggered or decision.cause is not Cause.SCHEDULE:
        return True
    kinds = tuple(signal.kind for signal in decision.active_signals)
    repeated = BlockedSignals(code=decision.blocked_by[0].code, kinds=kinds)
    return bool(kinds or state.pending_signals) and repeated != state.last_blocked


def _blocked(state: TriggerState, pending: PendingSignals, code: BlockCode) -> TriggerState:
    blocked = BlockedSignals(code=code, kinds=tuple(sorted(pending)))
    return state.replace(version=state.version + 1, pending_signals=pending, last_blocked=blocked)


def _triggered(inputs: TriggerInputs, pending: PendingSignals, decision: Decision) -> TriggerState:
    state, now, budget = inputs.state, inputs.now, inputs.policy.max_runs
    token, memory = state.fencing_token + 1, max(_MIN_MEMORY, budget.per if budget else _MIN_MEMORY)
    run = OpenRun(
        decision_id=decision.decision_id,
        fencing_token=token,
        started_at=now,
        lease_expires_at=now + LEASE,
        reason=decision.reason,
        signals=pending,
    )
    return state.replace(
        version=state.version + 1,
        pending_signals={},
        fencing_token=token,
        open_run=run,
        run_starts=(*(start for start in state.run_starts if now - start < memory), now),
        last_run_started_at=now,
        last_triggered_id=decision.decision_id,
        last_blocked=None,
    )


def _excerpt(inputs: TriggerInputs) -> dict[str, Any]:
    state = inputs.state
    last, run = state.last_run_started_at, state.open_run
    excerpt = {
        "champion": inputs.champion,
        "open_run": run.decision_id if run else None,
        "last_run_started_at": format_time(last) if last else None,
        "last_outcome": state.last_outcome.value if state.last_outcome else None,
        "consecutive_rejections": state.consecutive_rejections,
        "consecutive_rollbacks": state.consecutive_rollbacks or None,
        "rollout": inputs.rollout.version if inputs.rollout else None,
        "runs_remembered": len(state.run_starts),
    }
    return {name: value for name, value in excerpt.items() if value is not None}


def _requester(pending: PendingSignals) -> str | None:
    request = pending.get(ManualSignal.kind)
    return request.details.get("actor") if request else None


def _reason(pending: PendingSignals, blockers: tuple[Blocker, ...]) -> str:
    if not pending:
        return blockers[0].reason
    codes = ", ".join(blocker.code for blocker in blockers)
    return f"blocked by {codes}: {_in_words(pending)}" if codes else _in_words(pending)


def _explanation(signals: tuple[SignalStatus, ...], pending: PendingSignals, blockers: tuple[Blocker, ...]) -> str:
    """Explain in plain English why the model is retrained, or why not and what would have to change."""
    if not blockers:
        return f"Retrains because {_clauses(pending)}."
    if pending:
        because = "; ".join(blocker.reason for blocker in blockers)
        return f"Did not retrain, although {_clauses(pending)}, because {because}."
    configured = (signal for signal in signals if signal.role is not SignalRole.NOT_CONFIGURED)
    found = "; ".join(f"{name_of(signal.kind)}: {signal.reason}" for signal in configured)
    return f"Did not retrain because {blockers[0].reason} ({found})."


def _in_words(pending: PendingSignals) -> str:
    return "; ".join(f"{name_of(kind)}: {pending[kind].reason}" for kind in sorted(pending))


def _clauses(pending: PendingSignals) -> str:
    """Join what the active signals mean, each with its reason; a kind that is known no more keeps its name."""
    clauses = [f"{CLAUSES.get(kind, name_of(kind))} ({pending[kind].reason})" for kind in sorted(pending)]
    return " and ".join(filter(None, (", ".join(clauses[:-1]), clauses[-1])))
