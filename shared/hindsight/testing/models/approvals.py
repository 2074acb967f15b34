"""Approvals and waiting tasks in memory, judged by the same contract suites as their adapters."""

from collections.abc import Mapping
from typing import Any

from hindsight.rollout.approval.approval import Approval
from hindsight.rollout.external.training_request import TrainingRequest


class InMemoryApprovals:
    """Approvals by model and version."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Approval] = {}

    def load(self, model: str, version: str) -> Approval | None:
        return self.stored.get((model, version))

    def save(self, approval: Approval) -> bool:
        before = self.load(approval.model, approval.version)
        if approval.revision != (before.revision + 1 if before else 1):
            return False
        self.stored[approval.model, approval.version] = approval
        return True

    def newest(self, model: str, limit: int, before: str | None = None) -> list[Approval]:
        older = (version for name, version in self.stored if name == model and (before is None or version < before))
        names = sorted(older, reverse=True)
        return [self.stored[model, version] for version in names[:limit]]


class InMemoryTrainingRequests:
    """Training requests by model and dataset."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], TrainingRequest] = {}

    def load(self, model: str, dataset_id: str) -> TrainingRequest | None:
        return self.stored.get((model, dataset_id))

    def save(self, request: TrainingRequest) -> bool:
        before = self.load(request.model, request.dataset_id)
        if request.revision != (before.revision + 1 if before else 1):
            return False
        self.stored[request.model, request.dataset_id] = request
        return True

    def newest(self, model: str) -> TrainingRequest | None:
        last = max((key for key in self.stored if key[0] == model), default=None)
        return None if last is None else self.stored[last]


class InMemoryTasks:
    """Tasks that wait, and what they were answered."""

    def __init__(self, *waiting: str) -> None:
        self.waiting = set(waiting)
        self.answers: dict[str, Mapping[str, Any]] = {}

    def answer(self, task_token: str, output: Mapping[str, Any]) -> bool:
        if task_token not in self.waiting:
            return False
        self.waiting.remove(task_token)
        self.answers[task_token] = output
        return True
