"""From the signals that stand to a decision and the state it leads to."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hindsight.config.triggers import Triggers
from hindsight.core import compact_json
from hindsight.core.times import format_time
from hindsight.triggers.considered import Consideration, consider, described
from hindsight.triggers.decision import Cause, Decision
from hindsight.triggers.demand import Observed, demand_now
from hindsight.triggers.obstacles import Obstacle, obstacles_to
from hindsight.triggers.signal import SignalKind
from hindsight.triggers.state import LEASE, Demand, OpenRun, Suppression, TriggerState
from hindsight.triggers.suppression import SuppressedBy

_SHORTEST_MEMORY = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What made Hindsight decide; ``event_id`` is the same when the same event is delivered again."""

    cause: Cause
    event_id: str = ""
    requested_by: str | None = None


def decide(
    policy: Triggers, state: TriggerState, observed: Observed, occasion: Occasion
) -> tuple[Decision, TriggerState]:
    """Return the decision, fired or suppressed, and the state after it.

    Pure: equal arguments give the same decision with the same id, so that a redelivered event repeats one decision
    instead of adding another.
    """
    demand = demand_now(policy, state, observed)
    obstacles = obstacles_to(policy, demand, state, observed)
    considered = consider(policy, state, observed, demand)
    suppressed_by = obstacles[0].by if obstacles else None
    decision = Decision(
        decision_id=decision_id(state.model, observed.now, occasion, suppressed_by),
        model=state.model,
        at=observed.now,
        cause=occasion.cause,
        reason=_reason(demand, obstacles),
        signals=tuple(demand[kind] for kind in sorted(demand)),
        obstacles=obstacles,
        considered=considered,
        explanation=_explanation(demand, obstacles, considered),
        new_labels=observed.new_labels,
        policy=policy.model_dump(mode="json"),
        state=_excerpt(state, observed),
        forced=observed.force,
        requested_by=occasion.requested_by or _requester(demand),
        fencing_token=None if obstacles else state.fencing_token + 1,
    )
    after = _suppressed(state, demand, suppressed_by) if suppressed_by else _fired(policy, state, demand, decision)
    return decision, after


def decision_id(model: str, at: datetime, occasion: Occasion, suppressed_by: SuppressedBy | None) -> str:
    """Return the id of a decision: a name a state machine's execution may have, in order of time.

    It depends on the conclusion, so that the same moment checked again after the facts changed is a new decision.
    """
    seen = [model, format_time(at), occasion.cause, occasion.event_id, suppressed_by or "fired"]
    return f"{at:%Y%m%dT%H%M%SZ}-{compact_json.digest(seen)[:16]}"


def has_fired(state: TriggerState, at: datetime, occasion: Occasion) -> bool:
    """Return whether the last run that started was started by this very event."""
    return state.last_fired_id == decision_id(state.model, at, occasion, None)


def worth_recording(decision: Decision, state: TriggerState) -> bool:
    """Return whether a decision says anything new.

    Every run, alarm and request is recorded. Of scheduled checks that hold back the same signals for the same reason
    hour after hour only the first is, and none where no signal stands.
    """
    if decision.fired or decision.cause is not Cause.SCHEDULE:
        return True
    something = bool(decision.signals or state.demand)
    return something and _suppression(decision) != state.last_suppression


def _suppressed(state: TriggerState, demand: Demand, by: SuppressedBy) -> TriggerState:
    suppression = Suppression(suppressed_by=by, signals=tuple(sorted(demand)))
    return replace(state, version=state.version + 1, demand=demand, last_suppression=suppression)


def _fired(policy: Triggers, state: TriggerState, demand: Demand, decision: Decision) -> TriggerState:
    token, now = state.fencing_token + 1, decision.at
    memory = max(_SHORTEST_MEMORY, policy.max_runs.per if policy.max_runs else _SHORTEST_MEMORY)
    run = OpenRun(
        decision_id=decision.decision_id,
        fencing_token=token,
        started_at=now,
        lease_expires_at=now + LEASE,
        reason=decision.reason,
        serving=demand,
    )
    return replace(
        state,
        version=state.version + 1,
        demand={},
        fencing_token=token,
        open_run=run,
        run_starts=(*(start for start in state.run_starts if now - start < memory), now),
        last_run_started_at=now,
        last_fired_id=decision.decision_id,
        last_suppression=None,
    )


def _suppression(decision: Decision) -> Suppression:
    by = decision.suppressed_by or SuppressedBy.NO_SIGNAL
    return Suppression(suppressed_by=by, signals=tuple(signal.kind for signal in decision.signals))


def _excerpt(state: TriggerState, observed: Observed) -> dict[str, Any]:
    last, run = state.last_run_started_at, state.open_run
    excerpt = {
        "champion": observed.champion,
        "open_run": run.decision_id if run else None,
        "last_run_started_at": format_time(last) if last else None,
        "last_outcome": state.last_outcome,
        "consecutive_rejections": state.consecutive_rejections,
        "consecutive_rollbacks": state.consecutive_rollbacks or None,
        "trial": observed.trial.version if observed.trial else None,
        "runs_remembered": len(state.run_starts),
    }
    return {name: value for name, value in excerpt.items() if value is not None}


def _requester(demand: Demand) -> str | None:
    request = demand.get(SignalKind.MANUAL)
    return request.evidence.get("requested_by") if request else None


def _reason(demand: Demand, obstacles: tuple[Obstacle, ...]) -> str:
    names = [obstacle.by for obstacle in obstacles]
    if names == [SuppressedBy.NO_SIGNAL]:
        return "no signal stands"
    return f"held back by {', '.join(names)}: {_wanted(demand)}" if names else _wanted(demand)


def _explanation(demand: Demand, obstacles: tuple[Obstacle, ...], considered: tuple[Consideration, ...]) -> str:
    """Return in plain English why the model is retrained, or why not and what would have to change."""
    if not obstacles:
        return f"Retrains because of {_wanted(demand)}."
    if demand:
        against = "; ".join(obstacle.reason for obstacle in obstacles)
        return f"Did not retrain although asked to ({_wanted(demand)}), because {against}."
    seen = "; ".join(f"{kind.kind}: {kind.reason}" for kind in considered if kind.is_heard)
    return f"Did not retrain because no signal stands ({seen})."


def _wanted(demand: Demand) -> str:
    return "; ".join(f"{kind}: {described(demand[kind])}" for kind in sorted(demand))
