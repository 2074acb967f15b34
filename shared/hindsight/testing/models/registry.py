"""A registry in memory, judged by the same contract suite as DynamoRegistry."""

from datetime import datetime
from typing import TypeVar

from hindsight.core.errors import Conflict, NotFound, StaleRun
from hindsight.registry.moves import PointerStep
from hindsight.registry.pointer import DeploymentRecord, Pointer
from hindsight.registry.version import DatasetRecord, VersionRecord

Record = TypeVar("Record")


class InMemoryRegistry:
    """Dictionaries; ``lock_holders`` has the fencing token that holds each model's lock."""

    def __init__(self) -> None:
        self.lock_holders: dict[str, int] = {}
        self._pointers: dict[str, Pointer] = {}
        self._deployments: dict[str, dict[int, DeploymentRecord]] = {}
        self._versions: dict[str, dict[str, VersionRecord]] = {}
        self._datasets: dict[str, dict[str, DatasetRecord]] = {}

    def pointer(self, model: str) -> Pointer | None:
        return self._pointers.get(model)

    def version(self, model: str, version: str) -> VersionRecord:
        return _found(self._versions.get(model, {}), version)

    def versions(self, model: str, limit: int, before: str | None = None) -> list[VersionRecord]:
        return _newest(self._versions.get(model, {}), limit, before)

    def put_version(self, model: str, record: VersionRecord) -> VersionRecord:
        return self._versions.setdefault(model, {}).setdefault(record.version, record)

    def describe_version(self, model: str, bare: VersionRecord, record: VersionRecord) -> VersionRecord:
        if self.version(model, record.version) == bare:
            self._versions[model][record.version] = record
        return self.version(model, record.version)

    def dataset(self, model: str, dataset_id: str) -> DatasetRecord:
        return _found(self._datasets.get(model, {}), dataset_id)

    def datasets(self, model: str, limit: int, before: str | None = None) -> list[DatasetRecord]:
        return _newest(self._datasets.get(model, {}), limit, before)

    def put_dataset(self, model: str, record: DatasetRecord) -> DatasetRecord:
        return self._datasets.setdefault(model, {}).setdefault(record.dataset_id, record)

    def deployment(self, model: str, sequence: int) -> DeploymentRecord | None:
        return self._deployments.get(model, {}).get(sequence)

    def deployments(self, model: str, limit: int, before: int | None = None) -> list[DeploymentRecord]:
        made = self._deployments.get(model, {})
        older = [sequence for sequence in made if before is None or sequence < before]
        return [made[sequence] for sequence in sorted(older, reverse=True)[:limit]]

    def move_pointer(self, model: str, step: PointerStep, *, fencing_token: int | None = None) -> Pointer:
        if fencing_token is not None and self.lock_holders.get(model) != fencing_token:
            raise StaleRun(f"the run no longer holds the lock of {model!r}")
        before = self._pointers.get(model)
        if step.deployment.sequence != (before.sequence + 1 if before else 1):
            raise Conflict(f"the pointer of {model!r} has moved meanwhile")
        named = [step.pointer.champion, *([step.pointer.rollout.version] if step.pointer.rollout else [])]
        known = self._versions.get(model, {})
        if expired := [name for name in named if name in known and known[name].expired_at is not None]:
            raise Conflict(f"{expired[0]} has expired: its artefact is gone")
        self._deployments.setdefault(model, {})[step.deployment.sequence] = step.deployment
        self._pointers[model] = step.pointer
        return self._pointers[model]

    def expire_version(self, model: str, version: str, at: datetime, pointer_sequence: int) -> bool:
        record, pointer = self.version(model, version), self._pointers.get(model)
        if (pointer.sequence if pointer else 0) != pointer_sequence:
            return False
        self._versions[model][version] = record.replace(expired_at=record.expired_at or at)
        return True

    def rewrite_dataset(self, model: str, record: DatasetRecord) -> None:
        stored = self.dataset(model, record.dataset_id)
        self._datasets[model][record.dataset_id] = record.replace(expired_at=stored.expired_at)

    def expire_dataset(self, model: str, dataset_id: str, at: datetime) -> None:
        record = self.dataset(model, dataset_id)
        self._datasets[model][dataset_id] = record.replace(expired_at=record.expired_at or at)


def _found(records: dict[str, Record], name: str) -> Record:
    if name not in records:
        raise NotFound(f"{name!r} is not registered")
    return records[name]


def _newest(records: dict[str, Record], limit: int, before: str | None) -> list[Record]:
    older = [name for name in records if before is None or name < before]
    return [records[name] for name in sorted(older, reverse=True)[:limit]]
