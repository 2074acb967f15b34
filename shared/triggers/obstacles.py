"""What stands between the signals and a run."""

from collections.abc import Iterator
from datetime import timedelta

from shared.configuration.triggers import AtLeast, Triggers
from shared.triggers.decision import SuppressedBy
from shared.triggers.demand import Observed, listened_checks
from shared.triggers.signal import SUFFICIENT_ALONE, SignalKind
from shared.triggers.state import Demand, TriggerState

MAX_BACK_OFF_DOUBLINGS = 3
MIN_BACK_OFF = timedelta(hours=1)


def held_back_by(policy: Triggers, demand: Demand, state: TriggerState, observed: Observed) -> tuple[SuppressedBy, ...]:
    """Return everything that stands against a run, in the order of ``SuppressedBy``; nothing means: fire.

    A person's request, now, with ``force`` overrides everything but an open run. A request kept from earlier has no
    such power: it has waited, and waits for the cooldown like the others.
    """
    if not demand:
        return (SuppressedBy.NO_SIGNAL,)
    return tuple(_obstacles(policy, demand, state, observed))


def _obstacles(policy: Triggers, demand: Demand, state: TriggerState, observed: Observed) -> Iterator[SuppressedBy]:
    if not satisfies(policy, demand, has_champion=observed.champion is not None):
        yield SuppressedBy.COMBINATION
    if state.open_run is not None:
        yield SuppressedBy.OPEN_RUN
    if observed.force and SignalKind.MANUAL in demand:
        return
    if state.last_run_started_at is not None:
        elapsed = observed.now - state.last_run_started_at
        if elapsed < policy.cooldown:
            yield SuppressedBy.COOLDOWN
        elif elapsed < back_off(policy, state.consecutive_rejections):
            yield SuppressedBy.BACK_OFF
    if _budget_spent(policy, state, observed):
        yield SuppressedBy.RUN_BUDGET
    if observed.new_labels is not None and observed.new_labels < policy.min_new_labels:
        yield SuppressedBy.MIN_NEW_LABELS


def satisfies(policy: Triggers, demand: Demand, *, has_champion: bool) -> bool:
    """Return whether the demand is the combination the policy asks for.

    An alarm or a person's request is enough. ``all`` and ``at_least`` count the signals the policy listens to and
    that can arise at all: without a champion there is nothing to check for drift or performance, and a combination
    that waited for it would never train the first version. ``at_least`` never asks for more than there are.
    """
    if SUFFICIENT_ALONE & demand.keys():
        return True
    possible = {SignalKind.SCHEDULE} if policy.schedule is not None else set()
    possible |= {SignalKind.VOLUME} if policy.volume is not None else set()
    possible |= set(listened_checks(policy)) if has_champion else set()
    present = possible & demand.keys()
    if isinstance(policy.combine, AtLeast):
        return len(present) >= max(1, min(policy.combine.at_least, len(possible)))
    return bool(present) and (policy.combine == "any" or present == possible)


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


def _budget_spent(policy: Triggers, state: TriggerState, observed: Observed) -> bool:
    if policy.max_runs is None:
        return False
    since = observed.now - policy.max_runs.per
    return sum(start > since for start in state.run_starts) >= policy.max_runs.count
