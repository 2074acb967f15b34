"""Which versions and datasets have had their time: pure, by policy, never what serves or may have to serve again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.registry.pointer import Pointer, PointerMove
from hindsight.registry.version import DatasetRecord, VersionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """What is kept: everything younger than ``age``, and however old the newest ``newest``, of champions too."""

    newest: int
    age: timedelta


def protected_versions(pointer: Pointer | None, moves: Sequence[PointerMove], champions: int) -> set[str]:
    """Return the versions that serve, are tried, or that a rollback may lead to.

    ``moves`` are the pointer's, newest first; of the champions before this one the last ``champions`` are protected.
    """
    if pointer is None:
        return set()
    tried = {pointer.trial.version} if pointer.trial else set()
    fallback = {pointer.probation.against} if pointer.probation else set()
    previous = {pointer.previous} if pointer.previous else set()
    served = list(dict.fromkeys(version for move in moves for version in (move.to_version, move.from_version)))
    return {pointer.champion, *tried, *fallback, *previous, *(name for name in served[: champions + 1] if name)}


def expired_versions(
    records: Sequence[VersionRecord], protected: Iterable[str], keep: Keep, now: datetime
) -> list[VersionRecord]:
    """Return the versions to let go of; ``records`` come newest first."""
    spared = set(protected) | {record.version for record in records[: keep.newest]}
    return [
        record
        for record in records
        if record.version not in spared and record.expired_at is None and record.created_at < now - keep.age
    ]


def expired_datasets(
    records: Sequence[DatasetRecord], used: Iterable[str], keep: Keep, now: datetime
) -> list[DatasetRecord]:
    """Return the datasets to let go of; ``records`` come newest first, ``used`` are those of the versions kept."""
    spared = set(used) | {record.dataset_id for record in records[: keep.newest]}
    return [
        record
        for record in records
        if record.dataset_id not in spared and record.expired_at is None and record.as_of < now - keep.age
    ]
