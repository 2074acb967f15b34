"""The announcements of deployments: which change of the pointer has which event."""

from collections.abc import Mapping

from hindsight.core.announcements import Announcement
from hindsight.registry.pointer import Change, DeploymentRecord
from hindsight.registry.store import Registry

ENDS_OF_ROLLOUTS: Mapping[tuple[Change | None, Change], str] = {
    (Change.CANARY_STARTED, Change.PROMOTED): "CanaryPromoted",
    (Change.CANARY_STARTED, Change.ROLLOUT_ABORTED): "CanaryAborted",
    (Change.SHADOW_STARTED, Change.PROMOTED): "ShadowPromoted",
    (Change.SHADOW_STARTED, Change.ROLLOUT_ABORTED): "ShadowAborted",
}
OTHER_CHANGES = {Change.ROLLED_BACK: "ModelRolledBack", Change.PROBATION_PASSED: "ProbationPassed"}

_BEGINNINGS = {Change.CANARY_STARTED, Change.SHADOW_STARTED}
_MAX_BACK = 50  # deployments between the beginning of a rollout and its end; there are a few a week


def announcement_of(registry: Registry, model: str, deployment: DeploymentRecord) -> Announcement | None:
    """Build the announcement of a deployment, None for one that only begins a rollout."""
    name = OTHER_CHANGES.get(deployment.change) or ENDS_OF_ROLLOUTS.get(
        (_beginning(registry, model, deployment), deployment.change)
    )
    if name is None:
        return None
    return Announcement(
        name=name,
        correlation_id=deployment.decision_id or f"{model}#{deployment.sequence}",
        at=deployment.at,
        data={"model": model, **deployment.to_plain()},
    )


def _beginning(registry: Registry, model: str, deployment: DeploymentRecord) -> Change | None:
    """Find how the rollout that a deployment ends began, None where it ends none."""
    tried = deployment.to_version if deployment.change is Change.PROMOTED else deployment.challenger
    for sequence in range(deployment.sequence - 1, max(0, deployment.sequence - _MAX_BACK), -1):
        before = registry.deployment(model, sequence)
        if before is not None and before.change in _BEGINNINGS and before.challenger == tried:
            return before.change
    return None
