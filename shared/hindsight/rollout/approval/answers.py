"""The answers of people to runs that wait for an approval."""

from dataclasses import dataclass

from hindsight.core.errors import Conflict, Unavailable
from hindsight.core.retry import Overtaken, optimistic
from hindsight.registry.store import Registry
from hindsight.rollout.approval.approval import Answer, Approval, answered, delivered, undelivered
from hindsight.rollout.approval.store import ApprovalStore, WaitingTasks


@dataclass(frozen=True, slots=True)
class ApprovalAnswers:
    """The intake of approvers' answers."""

    approvals: ApprovalStore
    registry: Registry
    tasks: WaitingTasks

    def take(self, model: str, version: str, answer: Answer) -> Answer:
        """Pass an answer on to the run that waits and return the one that counts: the same answer again is the first.

        Raises NotFound for an unknown version, Conflict where the opposite was answered or nothing waits (any more).
        """
        self.registry.version(model, version)
        # Kept before it is sent: after a crash in between, the same call again sends it.
        approval, is_first = self._keep(model, version, answer)
        final = approval.answer or answer
        if approval.task_token is None:
            return final
        if self.tasks.answer(approval.task_token, final.to_plain()):
            # Lost to the same answer, sent twice at once, which keeps the same.
            self.approvals.save(delivered(approval))
            return final
        if is_first:
            self.approvals.save(undelivered(approval))
        elif (latest := self.approvals.load(model, version)) and latest.is_delivered:
            return final
        raise Conflict(f"the run of {version} waits no longer; its decision has the outcome")

    def _keep(self, model: str, version: str, answer: Answer) -> tuple[Approval, bool]:
        """Store an answer; return the approval with the answer that counts, and whether it is this call's."""

        def attempt() -> tuple[Approval, bool]:
            before = self.approvals.load(model, version)
            if before is None:
                raise Conflict(f"{version} is not waiting for an approval")
            after = answered(before, answer)
            if after is before:
                return before, False
            if self.approvals.save(after):
                return after, True
            raise Overtaken

        return optimistic(attempt, otherwise=Unavailable(f"the approval of {version} keeps being changed"))
