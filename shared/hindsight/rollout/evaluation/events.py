"""The events of deployments, and the back-off that they start or end for the triggers.

The deployments are the outbox: a crash between one and its event delays the event to the next evaluation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hindsight.core.announcements import Announcements
from hindsight.registry.pointer import Change, DeploymentRecord
from hindsight.registry.store import Registry
from hindsight.rollout.announcement import announcement_of
from hindsight.rollout.deployment import PIPELINE_ACTOR
from hindsight.rollout.evaluation.store import EvaluationStore
from hindsight.triggers.store import TriggerStore

EVALUATION_ACTOR = "rollout_evaluation"
_MAX_DEPLOYMENTS = 50  # to catch up with; there are a few a week


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutEvents:
    """The publisher of deployments' events, each at least once; a back-off that is noted again takes effect once."""

    registry: Registry
    triggers: TriggerStore
    announcements: Announcements
    store: EvaluationStore

    def publish(self, model: str) -> None:
        """Publish the events of all deployments since the last time. Raises Unavailable."""
        pointer = self.registry.pointer(model)
        published = self.store.published_sequence(model)
        if pointer is None or pointer.sequence <= published:
            return
        for deployment in self._deployments(
            model, max(published, pointer.sequence - _MAX_DEPLOYMENTS), pointer.sequence
        ):
            self._note(model, deployment)
            if _is_unpublished(deployment) and (found := announcement_of(self.registry, model, deployment)) is not None:
                self.announcements.publish([found])
        self.store.record_published_sequence(model, pointer.sequence)

    def _deployments(self, model: str, after: int, last: int) -> Iterator[DeploymentRecord]:
        for sequence in range(after + 1, last + 1):
            if (deployment := self.registry.deployment(model, sequence)) is not None:
                yield deployment

    def _note(self, model: str, deployment: DeploymentRecord) -> None:
        # A person's rollback was noted by the call that made it, unless that crashed: noting it again does nothing.
        if deployment.change is Change.ROLLED_BACK or (
            deployment.change is Change.ROLLOUT_ABORTED and deployment.actor == EVALUATION_ACTOR
        ):
            self.triggers.record_rollback(model, deployment.at)
        elif deployment.change is Change.PROBATION_PASSED:
            self.triggers.reset_rollback_backoff(model, deployment.at)


def _is_unpublished(deployment: DeploymentRecord) -> bool:
    """Check whether a deployment is published here alone: the evaluation's own, or a rollout that a run displaced."""
    return deployment.actor == EVALUATION_ACTOR or (
        deployment.actor == PIPELINE_ACTOR and deployment.change is Change.ROLLOUT_ABORTED
    )
