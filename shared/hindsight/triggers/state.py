"""What trigger decisions of one model depend on beside its signals, and how a run's end changes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from hindsight.triggers.signal import Signal, SignalKind

LEASE = timedelta(days=1)  # above what all attempts of all steps can take: only a run that died unseen reaches it

Demand = Mapping[SignalKind, Signal]


class RunOutcome(StrEnum):
    """How a retraining run ended; canary and shadow: its version is tried beside the champion."""

    PROMOTED = "promoted"
    CANARY = "canary"
    SHADOW = "shadow"
    REJECTED = "rejected"
    STOPPED = "stopped"
    FAILED = "failed"


_PASSED = frozenset({RunOutcome.PROMOTED, RunOutcome.CANARY, RunOutcome.SHADOW})


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """The run that holds the lock, until it is concluded or its lease expires.

    ``fencing_token`` tells it from every run before and after; ``serving`` is the demand it answers, given back if it
    fails. Everything its start needs is here, so that a start that a crash prevented can be made up for.
    """

    decision_id: str
    fencing_token: int
    started_at: datetime
    lease_expires_at: datetime
    reason: str
    serving: Demand = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """How a run ended, and what it used."""

    outcome: RunOutcome
    at: datetime
    reason: str = ""
    version: str | None = None
    dataset_id: str | None = None
    snapshot_as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """What the last suppressed decision rested on: hourly repetitions of it are not worth a record each."""

    suppressed_by: str
    signals: tuple[SignalKind, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerState:
    """One model's trigger state; ``version`` counts its changes, each conditional on the one before.

    ``demand`` holds the signals no run has answered yet. ``run_starts`` reaches back as far as the run budget asks.
    ``consecutive_rollbacks`` are the versions in a row that passed the gate and were taken back all the same, the last
    of them at ``rolled_back_at``; one that passes its probation ends the row.
    """

    model: str
    version: int = 0
    demand: Demand = field(default_factory=dict)
    fencing_token: int = 0
    open_run: OpenRun | None = None
    run_starts: tuple[datetime, ...] = ()
    last_run_started_at: datetime | None = None
    last_fired_id: str | None = None
    last_suppression: Suppression | None = None
    last_outcome: RunOutcome | None = None
    last_concluded_at: datetime | None = None
    consecutive_rejections: int = 0
    consecutive_rollbacks: int = 0
    rolled_back_at: datetime | None = None
    last_snapshot_as_of: datetime | None = None
    last_dataset_id: str | None = None

    @property
    def setbacks(self) -> int:
        """How many versions in a row came to nothing, at the gate or after it."""
        return self.consecutive_rejections + self.consecutive_rollbacks


def concluded(state: TriggerState, fencing_token: int, conclusion: Conclusion) -> TriggerState | None:
    """Return the state after a run's end, None if the token no longer holds the lock.

    A run that failed answered nothing: its demand comes back, and the labels it saw count as new again.
    """
    run = state.open_run
    if run is None or run.fencing_token != fencing_token:
        return None
    failed = conclusion.outcome is RunOutcome.FAILED
    used = None if failed else conclusion
    return replace(
        state,
        version=state.version + 1,
        open_run=None,
        demand={**run.serving, **state.demand} if failed else state.demand,
        last_suppression=None,
        last_outcome=conclusion.outcome,
        last_concluded_at=conclusion.at,
        consecutive_rejections=_rejections(state.consecutive_rejections, conclusion.outcome),
        last_snapshot_as_of=(used and used.snapshot_as_of) or state.last_snapshot_as_of,
        last_dataset_id=(used and used.dataset_id) or state.last_dataset_id,
    )


def rolled_back(state: TriggerState, at: datetime) -> TriggerState | None:
    """Return the state after a version that passed the gate was taken back, None if that has been noted already.

    What took it back may tell twice; a rollback is known by its moment.
    """
    if state.rolled_back_at is not None and at <= state.rolled_back_at:
        return None
    return replace(
        state,
        version=state.version + 1,
        consecutive_rollbacks=state.consecutive_rollbacks + 1,
        rolled_back_at=at,
        last_suppression=None,
    )


def trusted(state: TriggerState, at: datetime) -> TriggerState | None:
    """Return the state after a version has proved itself in service, None where that changes nothing."""
    if state.consecutive_rollbacks == 0 or (state.rolled_back_at is not None and at < state.rolled_back_at):
        return None
    return replace(state, version=state.version + 1, consecutive_rollbacks=0, last_suppression=None)


def lease_extended(state: TriggerState, fencing_token: int, until: datetime) -> TriggerState | None:
    """Return the state with a lease that lasts until a moment, at least; None if the token no longer holds the lock."""
    run = state.open_run
    if run is None or run.fencing_token != fencing_token:
        return None
    extended = replace(run, lease_expires_at=max(run.lease_expires_at, until))
    return replace(state, version=state.version + 1, open_run=extended)


def _rejections(before: int, outcome: RunOutcome) -> int:
    if outcome is RunOutcome.REJECTED:
        return before + 1
    return 0 if outcome in _PASSED else before
