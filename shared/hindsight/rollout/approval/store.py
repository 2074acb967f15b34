"""Where approvals are kept, and how a waiting run is answered."""

from collections.abc import Mapping
from typing import Any, Protocol

from hindsight.rollout.approval.approval import Approval


class ApprovalStore(Protocol):
    """The approvals of every model by version."""

    def load(self, model: str, version: str) -> Approval | None:
        """Return what was asked about a version, None if nothing was."""

    def save(self, approval: Approval) -> bool:
        """Store an approval one revision after the stored one, the first where none is; False if another was faster."""

    def newest(self, model: str, limit: int) -> list[Approval]:
        """Return at most ``limit`` approvals, newest first."""


class WaitingTasks(Protocol):
    """Steps of state machines that wait for an answer, by the tokens they gave out."""

    def answer(self, task_token: str, output: Mapping[str, Any]) -> bool:
        """Let a step go on with an output; False if it no longer waits."""
