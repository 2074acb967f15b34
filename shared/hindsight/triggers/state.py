"""The trigger state of a model: what decisions depend on beside the signals, and how the end of a run changes it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import field

from hindsight.core.codec import Record, to_plain
from hindsight.runs.run import RetrainingRun
from hindsight.triggers.status import SignalStatus

LEASE = timedelta(days=1)  # above what all attempts of all steps can take: only a run that died unseen reaches it

PendingSignals = Mapping[str, SignalStatus]


class RunOutcome(StrEnum):
    """The end of a retraining run; canary and shadow: its version is rolled out beside the champion."""

    PROMOTED = "promoted"
    CANARY = "canary"
    SHADOW = "shadow"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    FAILED = "failed"


_PASSED = frozenset({RunOutcome.PROMOTED, RunOutcome.CANARY, RunOutcome.SHADOW})


class OpenRun(Record):
    """The run that holds the lock, until it is finalized or its lease expires.

    ``fencing_token`` distinguishes it from every run before and after; ``signals`` are those it answers, pending again
    if it fails. Everything its start needs is here, so that a start that a crash prevented can be made up for.
    """

    decision_id: str
    fencing_token: int
    started_at: datetime
    lease_expires_at: datetime
    reason: str
    signals: PendingSignals = field(default_factory=dict)

    def of(self, model: str) -> RetrainingRun:
        """Name the run as its steps know it."""
        return RetrainingRun(
            model=model,
            decision_id=self.decision_id,
            fencing_token=self.fencing_token,
            as_of=self.started_at,
            reason=self.reason,
        )

    def execution_input(self, model: str) -> dict[str, Any]:
        """Build the input of the state machine: the same for the first start and for one made up for."""
        signals = [_announced(self.signals[kind]) for kind in sorted(self.signals)]
        return {**self.of(model).to_event(), "signals": signals}


class RunResult(Record):
    """The end of a run, and what it used."""

    outcome: RunOutcome
    at: datetime
    reason: str = ""
    version: str | None = None
    dataset_id: str | None = None
    snapshot_as_of: datetime | None = None


class BlockedSignals(Record):
    """The grounds of the last blocked decision: hourly repetitions of it are not worth a record each."""

    code: str
    kinds: tuple[str, ...]


class TriggerState(Record):
    """One model's trigger state; ``version`` counts its changes, each conditional on the previous one.

    ``pending_signals`` are those no run has answered yet. ``run_starts`` reaches back as far as the run budget asks.
    ``cooldown_started_at`` is the start of the last finished run that was not skipped. ``consecutive_rollbacks`` are
    the versions in a row that passed the gate and were rolled back all the same, the last of them at
    ``rolled_back_at``; one that passes its probation ends the row.
    """

    model: str
    version: int = 0
    pending_signals: PendingSignals = field(default_factory=dict)
    fencing_token: int = 0
    open_run: OpenRun | None = None
    run_starts: tuple[datetime, ...] = ()
    last_run_started_at: datetime | None = None
    cooldown_started_at: datetime | None = None
    last_triggered_id: str | None = None
    last_blocked: BlockedSignals | None = None
    last_outcome: RunOutcome | None = None
    last_run_finished_at: datetime | None = None
    consecutive_rejections: int = 0
    consecutive_rollbacks: int = 0
    rolled_back_at: datetime | None = None
    last_snapshot_as_of: datetime | None = None
    last_dataset_id: str | None = None

    @property
    def consecutive_failures(self) -> int:
        """The number of versions in a row that failed, at the gate or after it."""
        return self.consecutive_rejections + self.consecutive_rollbacks

    @property
    def last_run_failed(self) -> bool:
        """True if the last run failed and none is open."""
        return self.open_run is None and self.last_outcome is RunOutcome.FAILED

    @property
    def cooldown_since(self) -> datetime | None:
        """The start from which the cooldown counts: of the open run, else of the last that was not skipped."""
        return self.open_run.started_at if self.open_run else self.cooldown_started_at


def finalized(state: TriggerState, fencing_token: int, result: RunResult) -> TriggerState | None:
    """Apply a run's end to the state; None if the token no longer holds the lock.

    A run that failed answered nothing: its signals are pending again, and the labels it saw count as new again. One
    that was skipped had nothing to learn from: it starts no cooldown.
    """
    run = state.open_run
    if run is None or run.fencing_token != fencing_token:
        return None
    failed, skipped = result.outcome is RunOutcome.FAILED, result.outcome is RunOutcome.SKIPPED
    used = None if failed else result
    return state.replace(
        version=state.version + 1,
        open_run=None,
        pending_signals={**run.signals, **state.pending_signals} if failed else state.pending_signals,
        cooldown_started_at=state.cooldown_started_at if skipped else run.started_at,
        last_blocked=None,
        last_outcome=result.outcome,
        last_run_finished_at=result.at,
        consecutive_rejections=_rejections(state.consecutive_rejections, result.outcome),
        last_snapshot_as_of=(used and used.snapshot_as_of) or state.last_snapshot_as_of,
        last_dataset_id=(used and used.dataset_id) or state.last_dataset_id,
    )


def rolled_back(state: TriggerState, at: datetime) -> TriggerState | None:
    """Apply the rollback of a version that passed the gate; None if it has been recorded already.

    A rollback may be reported twice; it is known by its moment.
    """
    if state.rolled_back_at is not None and at <= state.rolled_back_at:
        return None
    return state.replace(
        version=state.version + 1,
        consecutive_rollbacks=state.consecutive_rollbacks + 1,
        rolled_back_at=at,
        last_blocked=None,
    )


def rollback_backoff_reset(state: TriggerState, at: datetime) -> TriggerState | None:
    """End the back-off from rollbacks once a version has proved itself in service; None where there is none to end."""
    if state.consecutive_rollbacks == 0 or (state.rolled_back_at is not None and at < state.rolled_back_at):
        return None
    return state.replace(version=state.version + 1, consecutive_rollbacks=0, last_blocked=None)


def lease_extended(state: TriggerState, fencing_token: int, until: datetime) -> TriggerState | None:
    """Extend the lease to a moment, at least; None if the token no longer holds the lock."""
    run = state.open_run
    if run is None or run.fencing_token != fencing_token:
        return None
    extended = run.replace(lease_expires_at=max(run.lease_expires_at, until))
    return state.replace(version=state.version + 1, open_run=extended)


def _rejections(before: int, outcome: RunOutcome) -> int:
    if outcome is RunOutcome.REJECTED:
        return before + 1
    return 0 if outcome in _PASSED else before


def _announced(signal: SignalStatus) -> dict[str, Any]:
    """Build the announced part of a signal: its kind, since when, why, and where its report lies."""
    links = {name: key for name, key in signal.details.items() if name in {"report_key", "page_key"}}
    return {"kind": signal.kind, "since": to_plain(signal.since), "reason": signal.reason, **links}
