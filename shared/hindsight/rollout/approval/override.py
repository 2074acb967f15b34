"""The override of the gate: an operator deploys a version that the gate rejected."""

from collections.abc import Callable
from dataclasses import dataclass

from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.errors import Conflict
from hindsight.registry.moves import AuditInfo, promote
from hindsight.registry.pointer import DeploymentRecord, Pointer
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.rollout.approval.approval import Answer
from hindsight.rollout.deployment import require_servable, servable


@dataclass(frozen=True, slots=True)
class Overrides:
    """The intake of overrides; ``require_loadable`` raises UnusableArtifact for a version that cannot be served."""

    registry: Registry
    announcements: Announcements
    require_loadable: Callable[[VersionRecord], None]

    def take(self, model: str, version: str, answer: Answer) -> DeploymentRecord:
        """Make a version the champion against the gate's verdict.

        A repeated call finds the deployment made and announces it again. Raises NotFound for an unknown version,
        Conflict for one that the gate passed, that cannot be loaded, or if the pointer moves meanwhile.
        """
        record = self.registry.version(model, version)
        if record.verdict is Verdict.PROMOTE:
            raise Conflict(f"the gate passed {version}: it needs no override")
        # Read before the version is loaded: a pointer that moves meanwhile is not the one the operator saw.
        before = self.registry.pointer(model)
        made = self._already_deployed(model, version, before) or self._deploy(model, record, before, answer)
        self.announcements.publish([override_announcement(model, record, made)])
        return made

    def _deploy(self, model: str, record: VersionRecord, before: Pointer | None, answer: Answer) -> DeploymentRecord:
        require_servable(record, self.require_loadable)
        # No fencing token: a run that judged another champion finds the pointer moved when it deploys.
        audit = AuditInfo(reason=override_reason(record, answer.reason), actor=answer.actor, at=answer.at)
        step = promote(before, servable(record), audit)
        self.registry.move_pointer(model, step)
        return step.deployment

    def _already_deployed(self, model: str, version: str, pointer: Pointer | None) -> DeploymentRecord | None:
        """Find the deployment that made a version champion, while it is."""
        if pointer is None or pointer.champion != version:
            return None
        made = self.registry.deployments(model, pointer.sequence)
        return next(change for change in made if change.to_version == version and change.from_version != version)


def override_reason(record: VersionRecord, reason: str) -> str:
    """Build the reason of an override: the checks that the version did not pass, and the person's reason."""
    refused = ", ".join(check.name for check in record.checks if not check.passed)
    return f"override of the gate's {refused}: {reason}"


def override_announcement(model: str, record: VersionRecord, made: DeploymentRecord) -> Announcement:
    """Build the announcement of an override."""
    return Announcement(
        name="GateOverridden",
        correlation_id=record.decision_id,
        at=made.at,
        data={
            "model": model,
            "version": record.version,
            "previous": made.from_version,
            "actor": made.actor,
            "reason": made.reason,
            "refused": record.reasons,
        },
    )
