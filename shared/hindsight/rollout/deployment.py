"""The deployment of a version that passed the gate."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hindsight.config.training import Deployment, Strategy
from hindsight.core.errors import Conflict, UnusableArtifact
from hindsight.registry.moves import AuditInfo, PointerStep, Servable, abort_rollout, promote, start_rollout
from hindsight.registry.pointer import Change, DeploymentRecord, Pointer, RolloutMode
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.runs.run import RetrainingRun

PIPELINE_ACTOR = "pipeline"
_MAX_DEPLOYMENTS_BACK = 20
_STARTED_AS = {
    Change.PROMOTED: Strategy.DIRECT,
    Change.CANARY_STARTED: Strategy.CANARY,
    Change.SHADOW_STARTED: Strategy.SHADOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionApproval:
    """A person's approval of a version."""

    actor: str
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
    approved: VersionApproval | None = None,
) -> DeploymentRecord:
    """Deploy a version by the strategy; a repeated call finds the deployment made already.

    It serves from the moment ``at`` on, by default the run's, or from when a person ``approved`` it, which may be days
    later.
    ``require_loadable`` raises for a version whose artefact cannot be served: the pointer never names such a one.
    The rollout of an earlier run's version, which only a forced run meets, is aborted first.
    Raises NotFound, UnusableArtifact, Conflict for a version the gate rejected or a pointer that moved since the gate
    compared it with what served, and StaleRun for a run that has lost the model's lock.
    """
    record = registry.version(run.model, version)
    if record.verdict is not Verdict.PROMOTE:
        raise Conflict(f"the gate rejected {version}")
    pointer = registry.pointer(run.model)
    if (made := _already_deployed(registry, run, version, pointer)) is not None:
        return made
    require_loadable(record)
    _require_unmoved(registry, run, record, pointer)
    if pointer is not None and pointer.rollout is not None:
        audit = _audit(run, at, approved, f"{version} of a newer run takes its place")
        pointer = registry.move_pointer(run.model, abort_rollout(pointer, audit), fencing_token=run.fencing_token)
    audit = _audit(run, at, approved, run.reason)
    step = deployment_step(pointer, servable(record), deployment, deployment.strategy, audit)
    registry.move_pointer(run.model, step, fencing_token=run.fencing_token)
    return step.deployment


def servable(record: VersionRecord) -> Servable:
    """Build a version's entry in the pointer."""
    return Servable(version=record.version, artifact_key=record.artifact_key, artifact_digest=record.artifact_digest)


def require_servable(record: VersionRecord, require_loadable: Callable[[VersionRecord], None]) -> None:
    """Refuse a version that cannot serve, for a person who names it. Raises Conflict."""
    if record.expired_at is not None:
        raise Conflict(f"{record.version} has expired: its artefact is no longer kept")
    try:
        require_loadable(record)
    except UnusableArtifact as error:
        raise Conflict(f"{record.version} cannot be served: {error.message}") from error


def strategy_of(deployment: DeploymentRecord) -> Strategy:
    """Find the strategy by which ``deploy`` put a version into service."""
    return _STARTED_AS[deployment.change]


def deployment_step(
    before: Pointer | None, version: Servable, deployment: Deployment, strategy: Strategy, audit: AuditInfo
) -> PointerStep:
    """Build the step that puts a version into service by a strategy; the first version takes all traffic by any.

    Raises Conflict for a rollout during another one.
    """
    if before is None or strategy is Strategy.DIRECT:
        return promote(before, version, audit)
    if strategy is Strategy.CANARY:
        return start_rollout(before, version, RolloutMode.CANARY, deployment.canary.share, audit)
    return start_rollout(before, version, RolloutMode.SHADOW, None, audit)


def _audit(run: RetrainingRun, at: datetime | None, approved: VersionApproval | None, reason: str) -> AuditInfo:
    at = at or run.as_of
    if approved is not None:
        at = max(at, approved.at)
        reason = "; ".join(filter(None, (reason, f"approved by {approved.actor}", approved.reason)))
    return AuditInfo(reason=reason, actor=PIPELINE_ACTOR, at=at, decision_id=run.decision_id)


def _require_unmoved(registry: Registry, run: RetrainingRun, record: VersionRecord, pointer: Pointer | None) -> None:
    """Refuse a version that was compared with another champion than the one it would replace.

    A rollout or a probation that ended meanwhile leaves the gate's comparison valid; another champion does not.
    """
    now = pointer.sequence if pointer else 0
    changes = (registry.deployment(run.model, sequence) for sequence in range(record.pointer_sequence + 1, now + 1))
    if any(change is None or change.from_version != change.to_version for change in changes):
        raise Conflict(f"the champion has changed since {record.version} was compared with it")


def _already_deployed(
    registry: Registry, run: RetrainingRun, version: str, pointer: Pointer | None
) -> DeploymentRecord | None:
    """Find this run's own deployment. It need not be the last: a retry must not undo a rollback that came since."""
    newest = pointer.sequence if pointer else 0
    for sequence in range(newest, max(0, newest - _MAX_DEPLOYMENTS_BACK), -1):
        made = registry.deployment(run.model, sequence)
        if made is None or made.decision_id != run.decision_id or made.change not in _STARTED_AS:
            continue
        if version in {made.to_version, made.challenger}:
            return made
    return None
