"""The rollback of a champion: to the previous one, or to one that a person names."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hindsight.config.store import ConfigurationStore
from hindsight.core.announcements import Announcements
from hindsight.core.errors import Conflict, NoModel
from hindsight.registry.moves import AuditInfo, PointerStep, abort_rollout
from hindsight.registry.pointer import Change, DeploymentRecord, Pointer
from hindsight.registry.rollback_candidates import rollback_candidates
from hindsight.registry.store import Registry
from hindsight.registry.version import VersionRecord
from hindsight.rollout.announcement import announcement_of
from hindsight.rollout.deployment import require_servable
from hindsight.rollout.rollback_target import deployments_of, step_back
from hindsight.triggers.store import TriggerStore
from hindsight.validation.items import Identifier, parse_item
from hindsight.validation.operator_request import OperatorRequest
from hindsight.validation.timestamps import ClientTimestamps


class RollbackRequest(OperatorRequest):
    """The body of a request: back to which version (default: the champion before), and from which one.

    With ``from`` or ``to`` a request that is sent again, because its answer was lost, does not go back twice.
    """

    to: Identifier | None = None
    from_version: Annotated[Identifier | None, Field(alias="from")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollbacks:
    """The rollbacks of champions that operators ask for.

    ``require_loadable`` raises UnusableArtifact for a version that cannot be served.
    """

    registry: Registry
    configurations: ConfigurationStore
    triggers: TriggerStore
    announcements: Announcements
    trust: ClientTimestamps
    require_loadable: Callable[[VersionRecord], None]

    def take(self, model: str, body: object, *, now: datetime, actor: str) -> DeploymentRecord:
        """Roll back as a person asks; the same request again, if it names an end, finds the deployment made.

        Raises InvalidInput with the path at fault, NotFound for an unknown model or version, NoModel before the first
        deployment, Conflict where there is no rollback target or the pointer has moved, Unavailable where the pointer
        has moved but the event was not published: sending the request again publishes it.
        """
        request = parse_item(RollbackRequest, body, "")
        known = self.configurations.current(model).configuration.model
        pointer = self.registry.pointer(known)
        if pointer is None:
            raise NoModel.of(model)
        audit = AuditInfo(reason=request.reason, actor=actor, at=request.moment(now, self.trust))
        made = self.registry.deployment(known, pointer.sequence)
        if made is not None and _is_requested(made, request, audit):
            self._publish(known, made)
            return made
        if request.from_version is not None and request.from_version != pointer.champion:
            raise Conflict(f"{pointer.champion} serves, not {request.from_version}")
        return self.roll_back(known, pointer, request.to, audit)

    def roll_back(self, model: str, pointer: Pointer, to: str | None, audit: AuditInfo) -> DeploymentRecord:
        """Make an earlier version the champion, hold the next run back, and announce it; raises as ``take`` does.

        Back to the champion itself means back to it alone: the rollout beside it is aborted.
        The pointer moves first: if what follows fails, the model is safe and its deployments have it.
        """
        if to == pointer.champion and pointer.rollout is not None:
            step = abort_rollout(pointer, audit)
        else:
            step = self._target_step(model, pointer, to, audit)
        self.registry.move_pointer(model, step)
        self._publish(model, step.deployment)
        return step.deployment

    def _target_step(self, model: str, pointer: Pointer, to: str | None, audit: AuditInfo) -> PointerStep:
        deployments = deployments_of(self.registry, model)
        candidates = rollback_candidates(deployments)
        if candidates[-1] != pointer.champion:
            raise Conflict(f"the pointer of {model!r} has moved meanwhile")
        target = to if to is not None else (candidates[-2] if len(candidates) > 1 else None)
        if target is None:
            raise Conflict(f"there is no version before {pointer.champion} to go back to")
        if target == pointer.champion:
            raise Conflict(f"{target} serves already")
        record = self.registry.version(model, target)
        self._require_fit(record, deployments)
        return step_back(deployments, pointer, record, audit)

    def _require_fit(self, record: VersionRecord, deployments: list[DeploymentRecord]) -> None:
        # One that passed the gate and never served may wait for a person's approval, or have been refused it.
        if not any(record.version in {change.from_version, change.to_version} for change in deployments):
            raise Conflict(f"{record.version} has never served and is no rollback target")
        require_servable(record, self.require_loadable)

    def _publish(self, model: str, deployment: DeploymentRecord) -> None:
        self.triggers.record_rollback(model, deployment.at)
        if (announcement := announcement_of(self.registry, model, deployment)) is not None:
            self.announcements.publish([announcement])


def _is_requested(made: DeploymentRecord, request: RollbackRequest, audit: AuditInfo) -> bool:
    """Compare the last deployment with a request: whether it is that request once more.

    One that names neither end is never: the second of two may mean one version further back.
    """
    if (made.reason, made.actor) != (audit.reason, audit.actor):
        return False
    if request.from_version not in {None, made.from_version}:
        return False
    if made.change is Change.ROLLOUT_ABORTED:
        return request.to == made.to_version
    names_an_end = request.from_version is not None or request.to is not None
    return made.change is Change.ROLLED_BACK and names_an_end and request.to in {None, made.to_version}
