"""The inputs of a trigger decision: the event that asks for it, the policy, the state and what is known by now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hindsight.config.triggers import Triggers
from hindsight.labels.archiving.new_labels import UpcomingLabels
from hindsight.monitoring.results.check import Check, CheckKind
from hindsight.registry.pointer import Rollout
from hindsight.triggers.state import TriggerState
from hindsight.triggers.status import SignalStatus


class Cause(StrEnum):
    """The cause of a decision."""

    SCHEDULE = "schedule"
    ALARM = "alarm"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerEvent:
    """The event that causes a decision; ``event_id`` is the same when the same event is delivered again.

    ``signal`` is the alarm or the person's request that it carries; ``force`` is that person's.
    """

    cause: Cause
    event_id: str = ""
    signal: SignalStatus | None = None
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerInputs:
    """The inputs of a decision, as known at ``now``.

    ``new_labels`` are those no snapshot has seen; None where they were not counted, because an open run, or that no
    signal is active, settles the decision anyway. ``upcoming`` are those that are due later, read while no version
    serves. ``relabelling`` is the id of the one under way, ``rollout`` the challenger beside the champion. A model
    ``has_no_trainer`` if another server answers for it and a run would train here.
    """

    now: datetime
    event: TriggerEvent
    policy: Triggers
    state: TriggerState
    champion: str | None
    new_labels: int | None = None
    upcoming: UpcomingLabels | None = None
    checks: Mapping[CheckKind, Check] = field(default_factory=dict)
    relabelling: str | None = None
    rollout: Rollout | None = None
    has_no_trainer: bool = False
