"""The moves of the serving pointer: pure, each from one pointer to the next with the record of the deployment."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from hindsight.core.errors import Conflict
from hindsight.registry.pointer import Change, DeploymentRecord, Pointer, Probation, Rollout, RolloutMode


class PointerStep(NamedTuple):
    """A deployment and the pointer it leads to; the registry stores both or neither."""

    pointer: Pointer
    deployment: DeploymentRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Servable:
    """A version that can serve, and where its artefact lies."""

    version: str
    artifact_key: str
    artifact_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditInfo:
    """The audit of a deployment: its reason, its actor, its time, and the decision if it was a run's."""

    reason: str
    actor: str
    at: datetime
    decision_id: str | None = None


def promote(before: Pointer | None, version: Servable, audit: AuditInfo) -> PointerStep:
    """Make a version the champion, on probation against the one it takes over from; a rollout beside that one ends."""
    probation = None if before is None else Probation(against=before.champion, since=audit.at)
    return _champion_changes(before, version, audit, Change.PROMOTED, probation)


def start_rollout(
    before: Pointer, version: Servable, mode: RolloutMode, share: float | None, audit: AuditInfo
) -> PointerStep:
    """Start the rollout of a version beside the champion. Raises Conflict during another one."""
    if before.rollout is not None:
        raise Conflict(f"{before.rollout.version} is still in a rollout beside {before.champion}")
    rollout = Rollout(
        version=version.version,
        mode=mode,
        share=share,
        artifact_key=version.artifact_key,
        artifact_digest=version.artifact_digest,
        since=audit.at,
        decision_id=audit.decision_id,
    )
    change = Change.CANARY_STARTED if mode is RolloutMode.CANARY else Change.SHADOW_STARTED
    return _champion_stays(before, before.replace(rollout=rollout), audit, change, rollout.version)


def promote_rollout(before: Pointer, audit: AuditInfo) -> PointerStep:
    """Make the version of the rollout the champion. Raises Conflict without a rollout."""
    rollout = _require_rollout(before)
    version = Servable(
        version=rollout.version, artifact_key=rollout.artifact_key, artifact_digest=rollout.artifact_digest
    )
    return promote(before, version, audit)


def abort_rollout(before: Pointer, audit: AuditInfo) -> PointerStep:
    """End the rollout of a version; the champion stays. Raises Conflict without a rollout."""
    rollout = _require_rollout(before)
    return _champion_stays(before, before.replace(rollout=None), audit, Change.ROLLOUT_ABORTED, rollout.version)


def roll_back(before: Pointer, version: Servable, audit: AuditInfo) -> PointerStep:
    """Make an earlier champion the champion again; the caller finds the previous one."""
    step = _champion_changes(before, version, audit, Change.ROLLED_BACK, None)
    return step._replace(pointer=step.pointer.replace(previous=None))


def pass_probation(before: Pointer, audit: AuditInfo) -> PointerStep:
    """End the champion's probation. Raises Conflict if it is on none."""
    if before.probation is None:
        raise Conflict(f"{before.champion} is on no probation")
    return _champion_stays(before, before.replace(probation=None), audit, Change.PROBATION_PASSED, None)


def _require_rollout(before: Pointer) -> Rollout:
    if before.rollout is None:
        raise Conflict(f"no version is in a rollout beside {before.champion}")
    return before.rollout


def _champion_changes(
    before: Pointer | None, version: Servable, audit: AuditInfo, change: Change, probation: Probation | None
) -> PointerStep:
    pointer = Pointer(
        champion=version.version,
        sequence=before.sequence + 1 if before else 1,
        updated_at=audit.at,
        serving_since=audit.at,
        artifact_key=version.artifact_key,
        artifact_digest=version.artifact_digest,
        previous=before.champion if before else None,
        probation=probation,
    )
    ended = before.rollout.version if before and before.rollout and before.rollout.version != version.version else None
    return PointerStep(pointer, _move(before, pointer, audit, change, ended))


def _champion_stays(
    before: Pointer, after: Pointer, audit: AuditInfo, change: Change, challenger: str | None
) -> PointerStep:
    pointer = after.replace(sequence=before.sequence + 1, updated_at=audit.at)
    return PointerStep(pointer, _move(before, pointer, audit, change, challenger))


def _move(
    before: Pointer | None, after: Pointer, audit: AuditInfo, change: Change, challenger: str | None
) -> DeploymentRecord:
    return DeploymentRecord(
        sequence=after.sequence,
        change=change,
        from_version=before.champion if before else None,
        to_version=after.champion,
        challenger=challenger,
        reason=audit.reason,
        actor=audit.actor,
        at=audit.at,
        decision_id=audit.decision_id,
    )
