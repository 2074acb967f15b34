"""The ports of approvals: their store, and the waiting tasks that they answer."""

from collections.abc import Mapping
from typing import Any, Protocol

from hindsight.rollout.approval.approval import Approval


class ApprovalStore(Protocol):
    """The approvals of every model by version."""

    def load(self, model: str, version: str) -> Approval | None:
        """Read the approval of a version, None if none was asked for."""

    def save(self, approval: Approval) -> bool:
        """Store an approval one revision after the stored one, or the first; False if another writer was faster."""

    def newest(self, model: str, limit: int, before: str | None = None) -> list[Approval]:
        """List at most ``limit`` approvals, newest first, of versions older than the one named ``before``."""


class WaitingTasks(Protocol):
    """The tasks of state machines that wait for an answer, by the tokens they gave out."""

    def answer(self, task_token: str, output: Mapping[str, Any]) -> bool:
        """Let a step go on with an output; False if it no longer waits."""
