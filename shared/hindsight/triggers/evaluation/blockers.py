"""The blockers of a run, each with the numbers that show when it ends."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from hindsight.config.triggers import AtLeast, RunBudget, Triggers
from hindsight.core.times import format_time
from hindsight.registry.pointer import Rollout
from hindsight.triggers.decision import BlockCode, Blocker
from hindsight.triggers.inputs import TriggerInputs
from hindsight.triggers.signals.registry import name_of
from hindsight.triggers.state import OpenRun, TriggerState
from hindsight.triggers.status import SignalRole, SignalStatus

MAX_BACK_OFF_DOUBLINGS = 3
MIN_BACK_OFF = timedelta(hours=1)


def find_blockers(signals: Sequence[SignalStatus], inputs: TriggerInputs) -> tuple[Blocker, ...]:
    """Find everything that blocks a run, in the order of ``BlockCode``; nothing triggers it.

    A person's request, now, with ``force`` overrides everything but an open run. A request kept from earlier has no
    such power: it has waited, and waits for the cooldown like the others.
    """
    if not any(signal.active for signal in signals):
        return (Blocker(code=BlockCode.NO_SIGNAL, reason="no signal is active", details={}),)
    return tuple(_blockers(signals, inputs))


def back_off(policy: Triggers, consecutive_failures: int) -> timedelta:
    """Compute how long to wait for the next start: the cooldown, doubled by each failure in a row.

    A failure is a candidate the gate rejected, or one that passed and was rolled back. At most eight times the
    cooldown; a cooldown shorter than an hour counts as an hour once there was one.

    >>> back_off(Triggers(cooldown=timedelta(days=1)), 2)
    datetime.timedelta(days=4)
    """
    if consecutive_failures == 0:
        return policy.cooldown
    factor: int = 2 ** min(consecutive_failures, MAX_BACK_OFF_DOUBLINGS)
    return max(policy.cooldown, MIN_BACK_OFF) * factor


def _blockers(signals: Sequence[SignalStatus], inputs: TriggerInputs) -> Iterator[Blocker]:
    policy, state = inputs.policy, inputs.state
    yield from _combination(policy, signals)
    if state.open_run is not None:
        yield _open_run(state.open_run)
    if inputs.has_no_trainer:
        yield Blocker(
            code=BlockCode.SERVED_ELSEWHERE,
            reason="the model is served elsewhere, by versions that are not trained here; training.engine: external "
            "lets a run ask their trainer for one",
            details={},
        )
    if inputs.event.force:
        return
    if inputs.rollout is not None:
        yield _undecided(inputs.rollout)
    if inputs.relabelling is not None:
        yield Blocker(
            code=BlockCode.RELABELLING,
            reason=f"the relabelling {inputs.relabelling} is under way, and a snapshot would mix old rules with new",
            details={"job_id": inputs.relabelling},
        )
    yield from _too_soon(policy, state, inputs.now)
    if policy.max_runs is not None:
        yield from _budget_spent(policy.max_runs, state, inputs.now)
    if inputs.new_labels is not None and inputs.new_labels < policy.min_new_labels:
        yield Blocker(
            code=BlockCode.MIN_NEW_LABELS,
            reason=f"{inputs.new_labels} new labels are fewer than the {policy.min_new_labels} a run needs"
            + ("" if inputs.upcoming is None else f"; {inputs.upcoming}"),
            details={"have": inputs.new_labels, "need": policy.min_new_labels},
        )


def _combination(policy: Triggers, signals: Sequence[SignalStatus]) -> Iterator[Blocker]:
    """Require the combination that the policy asks for, where no active signal is enough alone.

    ``all`` and ``at_least`` count the signals that are configured and can arise at all: without a champion there is
    nothing to check for drift or performance, and a combination that waited for it would never train the first
    version. ``at_least`` never asks for more than there are.
    """
    if any(signal.active and signal.role is SignalRole.SUFFICIENT for signal in signals):
        return
    counted = [signal for signal in signals if signal.role is SignalRole.COUNTED]
    active, needed = sorted(signal.kind for signal in counted if signal.active), _needed(policy, len(counted))
    if active and len(active) >= needed:
        return
    kinds = ", ".join(sorted(name_of(signal.kind) for signal in counted))
    yield Blocker(
        code=BlockCode.COMBINATION,
        reason=f"{needed} of {kinds} must be active, and {len(active) or 'none'} {'is' if len(active) < 2 else 'are'}",
        details={"active": active, "needed": needed, "possible": len(counted)},
    )


def _needed(policy: Triggers, possible: int) -> int:
    if isinstance(policy.combine, AtLeast):
        return max(1, min(policy.combine.at_least, possible))
    return 1 if policy.combine == "any" else possible


def _open_run(run: OpenRun) -> Blocker:
    started, expires = format_time(run.started_at), format_time(run.lease_expires_at)
    return Blocker(
        code=BlockCode.OPEN_RUN,
        reason=f"the run {run.decision_id} is open since {started}, at the latest to {expires}",
        details={"decision_id": run.decision_id, "started_at": started, "lease_expires_at": expires},
    )


def _undecided(rollout: Rollout) -> Blocker:
    since = format_time(rollout.since)
    return Blocker(
        code=BlockCode.UNDECIDED_ROLLOUT,
        reason=f"the {rollout.mode} of {rollout.version} runs since {since} and is not decided yet",
        details={"version": rollout.version, "mode": rollout.mode.value, "since": since},
    )


def _too_soon(policy: Triggers, state: TriggerState, now: datetime) -> Iterator[Blocker]:
    last = state.cooldown_since
    if last is not None and now < (cooled := last + policy.cooldown):
        yield Blocker(
            code=BlockCode.COOLDOWN,
            reason=f"the cooldown after the run of {format_time(last)} lasts until {format_time(cooled)}",
            details={"last_run_started_at": format_time(last), "until": format_time(cooled)},
        )
    # A version may be rolled back long after the run that made it: then the wait begins with that.
    begun = max((moment for moment in (last, state.rolled_back_at) if moment is not None), default=None)
    if begun is None or not state.consecutive_failures:
        return
    until = begun + back_off(policy, state.consecutive_failures)
    if now < until:
        yield Blocker(
            code=BlockCode.BACK_OFF,
            reason=f"after {_failures(state)} in a row the next run may start at {format_time(until)}",
            details={
                "consecutive_rejections": state.consecutive_rejections,
                "consecutive_rollbacks": state.consecutive_rollbacks,
                "until": format_time(until),
            },
        )


def _failures(state: TriggerState) -> str:
    counts = {"rejected": state.consecutive_rejections, "rolled back": state.consecutive_rollbacks}
    return " and ".join(f"{count} {how}" for how, count in counts.items() if count)


def _budget_spent(budget: RunBudget, state: TriggerState, now: datetime) -> Iterator[Blocker]:
    within = sorted(start for start in state.run_starts if start > now - budget.per)
    if len(within) < budget.count:
        return
    frees_at = format_time(within[len(within) - budget.count] + budget.per)
    days = f"{budget.per.total_seconds() / 86_400:g}"
    yield Blocker(
        code=BlockCode.RUN_BUDGET,
        reason=f"{len(within)} of {budget.count} runs in {days} days are used; the next is free at {frees_at}",
        details={
            "used": len(within),
            "allowed": budget.count,
            "per_seconds": budget.per.total_seconds(),
            "until": frees_at,
        },
    )
