"""The target of a rollback, and the step that leads back to it."""

from collections.abc import Iterable, Sequence

from hindsight.registry.moves import AuditInfo, PointerStep, roll_back
from hindsight.registry.pointer import Change, DeploymentRecord, Pointer, Probation
from hindsight.registry.rollback_candidates import rollback_candidates
from hindsight.registry.store import Registry
from hindsight.registry.version import VersionRecord
from hindsight.rollout.deployment import servable

MAX_DEPLOYMENTS = 1000


def deployments_of(registry: Registry, model: str) -> list[DeploymentRecord]:
    """List the deployments of a model that rollback candidates are found from, the oldest first."""
    return sorted(registry.deployments(model, MAX_DEPLOYMENTS), key=lambda deployment: deployment.sequence)


def step_back(
    deployments: Sequence[DeploymentRecord], pointer: Pointer, record: VersionRecord, audit: AuditInfo
) -> PointerStep:
    """Make a version the champion again, with the state that its earlier deployments left.

    The pointer then names where the next rollback would lead, and a probation that the version had not passed when it
    was replaced goes on, unless what it was held against is no longer a candidate.
    """
    step = roll_back(pointer, servable(record), audit)
    left = rollback_candidates([*deployments, step.deployment])
    previous = left[-2] if len(left) > 1 else None
    probation = unfinished_probation(deployments, record.version)
    if probation is not None and probation.against != previous:
        probation = None
    return step._replace(pointer=step.pointer.replace(previous=previous, probation=probation))


def unfinished_probation(deployments: Iterable[DeploymentRecord], version: str) -> Probation | None:
    """Find the probation that a version was on when it last served, None if it had passed it or had none."""
    found: Probation | None = None
    for change in deployments:
        if change.to_version != version:
            continue
        if change.change is Change.PROMOTED:
            found = None if change.from_version is None else Probation(against=change.from_version, since=change.at)
        elif change.change is Change.PROBATION_PASSED:
            found = None
    return found
