"""The judgement of a version that was made elsewhere: the gate, on the scores it gave to a dataset's holdout."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.config.training import Gate
from hindsight.core.errors import InvalidInput, NotFound, UnusableDataset
from hindsight.datasets.dataset import Manifest, read_manifest
from hindsight.lake.object_store import Lake
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.training.fitting.labelled_frame import LabelledFrame, load_part
from hindsight.training.gate.holdout_scores import read_holdout_scores
from hindsight.training.gate.holdout_verdict import judge_holdout

_NO_SMOKE_TEST = "no smoke test: the artefact is with its maker"
DATASET, SCORES = "dataset_id", "holdout_scores_key"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The judge of versions that have no artefact here."""

    registry: Registry
    configurations: ConfigurationStore
    lake: Lake

    def judge(self, model: str, record: VersionRecord, dataset_id: str, scores_key: str) -> VersionRecord:
        """Judge a version by its scores; return its record with the verdict.

        Raises InvalidInput with the path at fault, for a dataset that is unknown or has expired and for the scores.
        """
        manifest, holdout = self._holdout(model, dataset_id)
        configuration = self.configurations.revision(model, manifest.configuration_revision).configuration
        scores = read_holdout_scores(self.lake, scores_key, holdout.prediction_ids, configuration, SCORES)
        # Read once: the verdict is about the champion of this very move of the pointer, and records it.
        pointer = self.registry.pointer(model)
        verdict = judge_holdout(
            self.lake, manifest, configuration, holdout=holdout, predictions=scores.predictions, pointer=pointer
        )
        judged = verdict.added_to(record.replace(notes=(*record.notes, _NO_SMOKE_TEST)))
        return judged.replace(
            dataset_id=dataset_id,
            configuration_revision=manifest.configuration_revision,
            rows=manifest.rows,
            pointer_sequence=0 if pointer is None else pointer.sequence,
            registration={**record.registration, "scores_digest": scores.digest},
            verdict=Verdict.PROMOTE if all(check.passed for check in judged.checks) else Verdict.REJECT,
        )

    def announced(self, model: str, record: VersionRecord) -> dict[str, Any]:
        """Build what a run goes on with: the verdict on a judged version, and whether it needs an approval."""
        revision = self.configurations.revision(model, record.configuration_revision)
        return announced_verdict(record, revision.configuration.gate)

    def _holdout(self, model: str, dataset_id: str) -> tuple[Manifest, LabelledFrame]:
        try:
            self.registry.dataset(model, dataset_id)
            manifest = read_manifest(self.lake, model, dataset_id)
            configuration = self.configurations.revision(model, manifest.configuration_revision).configuration
            return manifest, load_part(self.lake, manifest, "holdout", configuration.feature_types, configuration)
        except NotFound:
            raise InvalidInput.at(DATASET, "is no dataset of the model, or one that has expired") from None
        except UnusableDataset as error:
            raise InvalidInput.at(DATASET, f"cannot be read: {error.message}") from error


def announced_verdict(record: VersionRecord, gate: Gate) -> dict[str, Any]:
    """Build the output of the step that judged a version."""
    approval: Mapping[str, Any] = {"required": gate.approval, "seconds": int(gate.approval_expires.total_seconds())}
    return {
        "version": record.version,
        "verdict": record.verdict.value,
        "reasons": record.reasons,
        "approval": approval,
    }
