"""The lineage of a prediction: the datasets that used it, and the versions trained on those."""

from collections.abc import Sequence
from dataclasses import dataclass

from hindsight.datasets.dataset import Part
from hindsight.datasets.members import MemberStore, bucket_of, find_member
from hindsight.entities.prediction import Prediction
from hindsight.registry.store import Registry

MAX_DATASETS = 100
MAX_VERSIONS = 200


@dataclass(frozen=True, slots=True)
class Use:
    """One dataset that holds a prediction: in which part, with which record of its label."""

    dataset_id: str
    part: Part
    seq: int


@dataclass(frozen=True, slots=True)
class Uses:
    """The datasets that hold a prediction, newest first; ``is_complete`` if every dataset was asked that could."""

    found: tuple[Use, ...]
    is_complete: bool


def uses_of(prediction: Prediction, registry: Registry, members: MemberStore) -> Uses:
    """Find the datasets that hold a prediction, among the newest ``MAX_DATASETS``.

    Only datasets built after its outcome was due are asked, since no other can hold it. A dataset that has expired, or
    that has no index, cannot be asked.
    """
    recorded = registry.datasets(prediction.model, MAX_DATASETS + 1)
    able = [
        record
        for record in recorded[:MAX_DATASETS]
        if record.expired_at is None and record.as_of >= prediction.outcome_due_at
    ]
    wanted = {
        record.dataset_id: bucket_of(prediction.prediction_id, record.buckets) for record in able if record.buckets
    }
    buckets = members.buckets(prediction.model, wanted) if wanted else {}
    found = [
        Use(name, member.part, member.seq)
        for name in wanted
        if name in buckets and (member := find_member(buckets[name], prediction.prediction_id)) is not None
    ]
    older = recorded[MAX_DATASETS:]
    is_asked_of_all = len(wanted) == len(able) and all(record.as_of < prediction.outcome_due_at for record in older)
    return Uses(tuple(found), is_asked_of_all)


def versions_trained_on(datasets: Sequence[str], model: str, registry: Registry) -> list[str]:
    """Find the versions trained on any of some datasets, newest first, among the newest ``MAX_VERSIONS``."""
    if not datasets:
        return []
    return [record.version for record in registry.versions(model, MAX_VERSIONS) if record.dataset_id in datasets]
