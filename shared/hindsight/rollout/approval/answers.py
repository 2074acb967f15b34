"""A person answers a run that waits."""

from dataclasses import dataclass

from hindsight.core.errors import Conflict, Unavailable
from hindsight.registry.store import Registry
from hindsight.rollout.approval.approval import Answer, Approval, answered, delivered, undelivered
from hindsight.rollout.approval.store import ApprovalStore, WaitingTasks

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class ApprovalAnswers:
    """Takes the answers of people."""

    approvals: ApprovalStore
    registry: Registry
    tasks: WaitingTasks

    def take(self, model: str, version: str, answer: Answer) -> Answer:
        """Pass an answer on to the run that waits and return the one that stands: the same answer again is the first.

        Raises NotFound for an unknown version, Conflict where the opposite was answered or nothing waits (any more).
        """
        self.registry.version(model, version)
        # Kept before it is sent: after a crash in between, the same call again sends it.
        approval, is_first = self._keep(model, version, answer)
        stands = approval.answer or answer
        if approval.task_token is None:
            return stands
        if self.tasks.answer(approval.task_token, stands.to_json()):
            # Lost to the same answer, sent twice at once, which keeps the same.
            self.approvals.save(delivered(approval))
            return stands
        if is_first:
            self.approvals.save(undelivered(approval))
        elif (latest := self.approvals.load(model, version)) and latest.is_delivered:
            return stands
        raise Conflict(f"the run of {version} waits no longer; its decision says how it ended")

    def _keep(self, model: str, version: str, answer: Answer) -> tuple[Approval, bool]:
        """Return the approval with its answer, and whether it is this call's."""
        for _ in range(_ATTEMPTS):
            before = self.approvals.load(model, version)
            if before is None:
                raise Conflict(f"{version} waits for no answer")
            after = answered(before, answer)
            if after is before:
                return before, False
            if self.approvals.save(after):
                return after, True
        raise Unavailable(f"the approval of {version} keeps being changed by others")
