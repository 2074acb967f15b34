"""What stands between the signals and a run, each with the numbers that tell when it gives way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hindsight.config.triggers import AtLeast, RunBudget, Triggers
from hindsight.core.times import format_time
from hindsight.registry.pointer import Trial
from hindsight.triggers.demand import Observed, listened_checks
from hindsight.triggers.signal import SUFFICIENT_ALONE, SignalKind
from hindsight.triggers.state import Demand, OpenRun, TriggerState
from hindsight.triggers.suppression import SuppressedBy

MAX_BACK_OFF_DOUBLINGS = 3
MIN_BACK_OFF = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing that holds a run back: in words, and in numbers."""

    by: SuppressedBy
    reason: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the obstacle as operators see it and as it is kept."""
        return {"by": self.by.value, "reason": self.reason, "numbers": dict(self.numbers)}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Obstacle":
        """Return the obstacle that ``to_json`` showed."""
        return cls(by=SuppressedBy(row["by"]), reason=row.get("reason", ""), numbers=row.get("numbers", {}))


def obstacles_to(policy: Triggers, demand: Demand, state: TriggerState, observed: Observed) -> tuple[Obstacle, ...]:
    """Return everything that stands against a run, in the order of ``SuppressedBy``; nothing means: fire.

    A person's request, now, with ``force`` overrides everything but an open run. A request kept from earlier has no
    such power: it has waited, and waits for the cooldown like the others.
    """
    if not demand:
        return (Obstacle(by=SuppressedBy.NO_SIGNAL, reason="no signal stands"),)
    return tuple(_obstacles(policy, demand, state, observed))


def _obstacles(policy: Triggers, demand: Demand, state: TriggerState, observed: Observed) -> Iterator[Obstacle]:
    if not satisfies(policy, demand, has_champion=observed.champion is not None):
        yield _combination(policy, demand, has_champion=observed.champion is not None)
    if state.open_run is not None:
        yield _open_run(state.open_run)
    if observed.force and SignalKind.MANUAL in demand:
        return
    if observed.trial is not None:
        yield _undecided(observed.trial)
    if observed.relabelling is not None:
        yield Obstacle(
            by=SuppressedBy.RELABELLING,
            reason=f"the relabelling {observed.relabelling} is under way, and a snapshot would mix old rules with new",
            numbers={"relabel_id": observed.relabelling},
        )
    yield from _too_soon(policy, state, observed.now)
    if policy.max_runs is not None:
        yield from _budget_spent(policy.max_runs, state, observed.now)
    if observed.new_labels is not None and observed.new_labels < policy.min_new_labels:
        yield Obstacle(
            by=SuppressedBy.MIN_NEW_LABELS,
            reason=f"{observed.new_labels} new labels are fewer than the {policy.min_new_labels} a run needs",
            numbers={"have": observed.new_labels, "need": policy.min_new_labels},
        )


def satisfies(policy: Triggers, demand: Demand, *, has_champion: bool) -> bool:
    """Return whether the demand is the combination the policy asks for.

    An alarm or a person's request is enough. ``all`` and ``at_least`` count the signals the policy listens to and
    that can arise at all: without a champion there is nothing to check for drift or performance, and a combination
    that waited for it would never train the first version. ``at_least`` never asks for more than there are.
    """
    if SUFFICIENT_ALONE & demand.keys():
        return True
    possible = _countable(policy, has_champion=has_champion)
    present = possible & demand.keys()
    return bool(present) and len(present) >= _needed(policy, possible)


def back_off(policy: Triggers, setbacks: int) -> timedelta:
    """Return how long to wait for the next start: the cooldown, doubled by each setback in a row.

    A setback is a candidate the gate rejected, or one that passed and was taken back. At most eight times the
    cooldown; a cooldown shorter than an hour counts as an hour once there was one.

    >>> back_off(Triggers(cooldown=timedelta(days=1)), 2)
    datetime.timedelta(days=4)
    """
    if setbacks == 0:
        return policy.cooldown
    factor: int = 2 ** min(setbacks, MAX_BACK_OFF_DOUBLINGS)
    return max(policy.cooldown, MIN_BACK_OFF) * factor


def _countable(policy: Triggers, *, has_champion: bool) -> set[SignalKind]:
    possible = {SignalKind.SCHEDULE} if policy.schedule is not None else set()
    possible |= {SignalKind.VOLUME} if policy.volume is not None else set()
    return possible | (set(listened_checks(policy)) if has_champion else set())


def _needed(policy: Triggers, possible: set[SignalKind]) -> int:
    if isinstance(policy.combine, AtLeast):
        return max(1, min(policy.combine.at_least, len(possible)))
    return 1 if policy.combine == "any" else len(possible)


def _combination(policy: Triggers, demand: Demand, *, has_champion: bool) -> Obstacle:
    possible = _countable(policy, has_champion=has_champion)
    standing, needed = sorted(possible & demand.keys()), _needed(policy, possible)
    return Obstacle(
        by=SuppressedBy.COMBINATION,
        reason=f"{len(standing)} of the {needed} signals asked for stand, counting {', '.join(sorted(possible))}",
        numbers={"standing": [kind.value for kind in standing], "needed": needed, "possible": len(possible)},
    )


def _open_run(run: OpenRun) -> Obstacle:
    numbers = {
        "decision_id": run.decision_id,
        "started_at": format_time(run.started_at),
        "lease_expires_at": format_time(run.lease_expires_at),
    }
    started, ends = numbers["started_at"], numbers["lease_expires_at"]
    reason = f"the run {run.decision_id} is open since {started}, at the latest to {ends}"
    return Obstacle(by=SuppressedBy.OPEN_RUN, reason=reason, numbers=numbers)


def _undecided(trial: Trial) -> Obstacle:
    since = format_time(trial.since)
    return Obstacle(
        by=SuppressedBy.UNDECIDED_TRIAL,
        reason=f"{trial.version} is tried as a {trial.mode} since {since} and not decided yet",
        numbers={"version": trial.version, "mode": trial.mode.value, "since": since},
    )


def _too_soon(policy: Triggers, state: TriggerState, now: datetime) -> Iterator[Obstacle]:
    last = state.last_run_started_at
    if last is not None and now < (cooled := last + policy.cooldown):
        yield Obstacle(
            by=SuppressedBy.COOLDOWN,
            reason=f"the cooldown after the run of {format_time(last)} lasts until {format_time(cooled)}",
            numbers={"last_run_started_at": format_time(last), "until": format_time(cooled)},
        )
    # A version may be taken back long after the run that made it: then the wait begins with that.
    begun = max((moment for moment in (last, state.rolled_back_at) if moment is not None), default=None)
    if begun is None or not state.setbacks:
        return
    until = begun + back_off(policy, state.setbacks)
    if now < until:
        yield Obstacle(
            by=SuppressedBy.BACK_OFF,
            reason=f"after {_setbacks(state)} in a row the next run may start at {format_time(until)}",
            numbers={
                "consecutive_rejections": state.consecutive_rejections,
                "consecutive_rollbacks": state.consecutive_rollbacks,
                "until": format_time(until),
            },
        )


def _setbacks(state: TriggerState) -> str:
    counts = {"rejected": state.consecutive_rejections, "taken back": state.consecutive_rollbacks}
    return " and ".join(f"{count} {what}" for what, count in counts.items() if count)


def _budget_spent(budget: RunBudget, state: TriggerState, now: datetime) -> Iterator[Obstacle]:
    within = sorted(start for start in state.run_starts if start > now - budget.per)
    if len(within) < budget.count:
        return
    frees_at = format_time(within[len(within) - budget.count] + budget.per)
    days = f"{budget.per.total_seconds() / 86_400:g}"
    yield Obstacle(
        by=SuppressedBy.RUN_BUDGET,
        reason=f"{len(within)} of {budget.count} runs in {days} days are used; the next is free at {frees_at}",
        numbers={
            "used": len(within),
            "allowed": budget.count,
            "per_seconds": budget.per.total_seconds(),
            "until": frees_at,
        },
    )
