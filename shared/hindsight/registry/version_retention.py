"""The retention of versions and datasets: pure, by policy, never of what serves or may have to serve again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.registry.pointer import DeploymentRecord, Pointer
from hindsight.registry.version import DatasetRecord, VersionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """The retention policy: keep all younger than ``age``, and the newest ``newest`` however old, champions too."""

    newest: int
    age: timedelta


def protected_versions(pointer: Pointer | None, deployments: Sequence[DeploymentRecord], champions: int) -> set[str]:
    """Collect the versions that serve, are in a rollout, or that a rollback may lead to.

    ``deployments`` are newest first; of the champions before this one the last ``champions`` are protected.
    """
    if pointer is None:
        return set()
    challenger = {pointer.rollout.version} if pointer.rollout else set()
    fallback = {pointer.probation.against} if pointer.probation else set()
    previous = {pointer.previous} if pointer.previous else set()
    served = list(
        dict.fromkeys(version for change in deployments for version in (change.to_version, change.from_version))
    )
    return {pointer.champion, *challenger, *fallback, *previous, *(name for name in served[: champions + 1] if name)}


def expired_versions(
    records: Sequence[VersionRecord], protected: Iterable[str], keep: Keep, now: datetime
) -> list[VersionRecord]:
    """List the versions past their retention; ``records`` come newest first."""
    spared = set(protected) | {record.version for record in records[: keep.newest]}
    return [
        record
        for record in records
        if record.version not in spared and record.expired_at is None and record.created_at < now - keep.age
    ]


def expired_datasets(
    records: Sequence[DatasetRecord], used: Iterable[str], keep: Keep, now: datetime
) -> list[DatasetRecord]:
    """List the datasets past their retention; ``records`` come newest first, ``used`` are of the versions kept."""
    spared = set(used) | {record.dataset_id for record in records[: keep.newest]}
    return [
        record
        for record in records
        if record.dataset_id not in spared and record.expired_at is None and record.as_of < now - keep.age
    ]
