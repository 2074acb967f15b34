"""Which datasets used a prediction, and which versions were trained on those."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from shared.capture.prediction import Prediction
from shared.datasets.dataset import PARTS, Manifest, Part, read_manifest
from shared.datasets.part_lookup import find_seq
from shared.lake import Lake
from shared.registry.store import Registry

MOST = 1000


@dataclass(frozen=True, slots=True)
class Use:
    """One dataset that holds a prediction: in which part, with which record of its label."""

    dataset_id: str
    part: Part
    seq: int


def uses_of(prediction: Prediction, registry: Registry, lake: Lake) -> list[Use]:
    """Return the datasets that hold a prediction, newest first.

    Only datasets that can hold it are read: those whose window covers it and that were built after its outcome was
    due. Of one that has expired nobody can say any more.
    """
    uses: list[Use] = []
    for record in registry.datasets(prediction.model, MOST):
        if record.expired_at is not None or record.as_of < prediction.outcome_due_at:
            continue
        manifest = read_manifest(lake, prediction.model, record.dataset_id)
        if manifest.window_start <= prediction.occurred_at:
            uses += _uses_in(manifest, prediction, lake)
    return uses


def versions_trained_on(datasets: Sequence[str], model: str, registry: Registry) -> list[str]:
    """Return the versions made from any of some datasets, newest first."""
    return [record.version for record in registry.versions(model, MOST) if record.dataset_id in datasets]


def _uses_in(manifest: Manifest, prediction: Prediction, lake: Lake) -> list[Use]:
    uses: list[Use] = []
    for part in PARTS:
        read = partial(lake.read_range, manifest.part_key(part))
        seq = find_seq(read, manifest.part_bytes[part], prediction.prediction_id, prediction.occurred_at)
        if seq is not None:
            uses.append(Use(manifest.dataset_id, part, seq))
    return uses
