"""What stands between the signals and a run, each with the numbers that tell when it gives way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.configuration.triggers import AtLeast, RunBudget, Triggers
from shared.times import format_time
from shared.triggers.demand import Observed, listened_checks
from shared.triggers.signal import SUFFICIENT_ALONE, SignalKind
from shared.triggers.state import Demand, OpenRun, TriggerState
from shared.triggers.suppression import SuppressedBy

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
    if observed.relabelling is not None:
        yield Obstacle(
            by=SuppressedBy.RELABELLING,
            reason=f"the relabelling {observed.relabelling} is under way, and a snapshot would mix old rules with new",
            numbers={"relabel_id": observed.relabelling},
        )
    if state.last_run_started_at is not None:
        yield from _too_soon(policy, state, state.last_run_started_at, observed.now)
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


def back_off(policy: Triggers, rejections: int) -> timedelta:
    """Return how long after a run's start the next may start: the cooldown, doubled by each rejection in a row.

    At most eight times the cooldown; a cooldown shorter than an hour counts as an hour once a candidate was rejected.

    >>> back_off(Triggers(cooldown=timedelta(days=1)), 2)
    datetime.timedelta(days=4)
    """
    if rejections == 0:
        return policy.cooldown
    factor: int = 2 ** min(rejections, MAX_BACK_OFF_DOUBLINGS)
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


def _too_soon(policy: Triggers, state: TriggerState, last: datetime, now: datetime) -> Iterator[Obstacle]:
    rejections = state.consecutive_rejections
    cooled, backed_off = last + policy.cooldown, last + back_off(policy, rejections)
    if now < cooled:
        yield Obstacle(
            by=SuppressedBy.COOLDOWN,
            reason=f"the cooldown after the run of {format_time(last)} lasts until {format_time(cooled)}",
            numbers={"last_run_started_at": format_time(last), "until": format_time(cooled)},
        )
    if rejections and now < backed_off:
        yield Obstacle(
            by=SuppressedBy.BACK_OFF,
            reason=f"after {rejections} rejected in a row the next run may start at {format_time(backed_off)}",
            numbers={"consecutive_rejections": rejections, "until": format_time(backed_off)},
        )


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
