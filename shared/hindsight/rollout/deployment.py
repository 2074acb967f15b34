"""Put a proven version into service."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hindsight.config.training import Deployment, Strategy
from hindsight.core.errors import Conflict
from hindsight.registry.moves import Account, PointerStep, Servable, promote, start_trial, withdraw_trial
from hindsight.registry.pointer import Change, Pointer, PointerMove, TrialMode
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.runs.run import RetrainingRun

DEPLOYED_BY_PIPELINE = "pipeline"
_MOVES_LOOKED_BACK = 20
_STARTED_AS = {
    Change.PROMOTED: Strategy.DIRECT,
    Change.CANARY_STARTED: Strategy.CANARY,
    Change.SHADOW_STARTED: Strategy.SHADOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """That a person let a version pass: who, when and why."""

    by: str
    at: datetime
    reason: str = ""


def deploy(
    registry: Registry,
    run: RetrainingRun,
    version: str,
    deployment: Deployment,
    require_loadable: Callable[[VersionRecord], None],
    *,
    at: datetime | None = None,
    approved: Approved | None = None,
) -> PointerMove:
    """Put a version into service by the strategy and return the move that did; a repeated call finds it made already.

    It serves from the moment ``at`` on, by default the run's, or from when a person ``approved`` it, which may be days
    later; the history tells who and why.
    ``require_loadable`` raises for a version whose artefact cannot be served: the pointer never names such a one.
    A version still on trial from an earlier run, which only a forced run meets, is withdrawn first.
    Raises NotFound, UnusableArtifact, Conflict for a version the gate rejected or a pointer that moved since the gate
    compared it with what served, and StaleRun for a run that has lost the model's lock.
    """
    record = registry.version(run.model, version)
    if record.verdict is not Verdict.PROMOTE:
        raise Conflict(f"the gate rejected {version}")
    pointer = registry.pointer(run.model)
    if (made := _move_already_made(registry, run, version, pointer)) is not None:
        return made
    require_loadable(record)
    _require_unmoved(registry, run, record, pointer)
    if pointer is not None and pointer.trial is not None:
        account = _account(run, at, approved, f"{version} of a newer run takes its place")
        pointer = registry.move_pointer(run.model, withdraw_trial(pointer, account), fencing_token=run.fencing_token)
    step = _step(pointer, servable(record), deployment, _account(run, at, approved, run.reason))
    registry.move_pointer(run.model, step, fencing_token=run.fencing_token)
    return step.move


def servable(record: VersionRecord) -> Servable:
    """Return what the pointer keeps of a version."""
    return Servable(version=record.version, artifact_key=record.artifact_key, artifact_digest=record.artifact_digest)


def strategy_of(move: PointerMove) -> Strategy:
    """Return by which strategy a move of ``deploy`` put its version into service."""
    return _STARTED_AS[move.change]


def _step(before: Pointer | None, version: Servable, deployment: Deployment, account: Account) -> PointerStep:
    if before is None or deployment.strategy is Strategy.DIRECT:
        return promote(before, version, account)
    if deployment.strategy is Strategy.CANARY:
        return start_trial(before, version, TrialMode.CANARY, deployment.canary.share, account)
    return start_trial(before, version, TrialMode.SHADOW, None, account)


def _account(run: RetrainingRun, at: datetime | None, approved: Approved | None, why: str) -> Account:
    at, told = at or run.as_of, why
    if approved is not None:
        at = max(at, approved.at)
        told = "; ".join(filter(None, (why, f"approved by {approved.by}", approved.reason)))
    return Account(why=told, by=DEPLOYED_BY_PIPELINE, at=at, decision_id=run.decision_id)


def _require_unmoved(registry: Registry, run: RetrainingRun, record: VersionRecord, pointer: Pointer | None) -> None:
    """Refuse a version that was compared with another champion than the one it would replace.

    A trial or a probation that ended meanwhile changes nothing of what the gate said; another champion does.
    """
    now = pointer.sequence if pointer else 0
    moves = (registry.move(run.model, sequence) for sequence in range(record.pointer_sequence + 1, now + 1))
    if any(move is None or move.from_version != move.to_version for move in moves):
        raise Conflict(f"the champion has changed since {record.version} was compared with it")


def _move_already_made(
    registry: Registry, run: RetrainingRun, version: str, pointer: Pointer | None
) -> PointerMove | None:
    """Return this run's own move. It need not be the last: someone may have rolled back since, and a retry must not
    undo that.
    """
    newest = pointer.sequence if pointer else 0
    for sequence in range(newest, max(0, newest - _MOVES_LOOKED_BACK), -1):
        move = registry.move(run.model, sequence)
        if move is None or move.decision_id != run.decision_id or move.change not in _STARTED_AS:
            continue
        if version in {move.to_version, move.challenger}:
            return move
    return None
