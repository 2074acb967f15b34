"""The verification of datasets: their parts are whole, and their sources rebuild them bit for bit."""

from dataclasses import dataclass, replace
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core import compact_json
from hindsight.core.errors import NotFound, UnusableDataset
from hindsight.datasets.building.snapshot import rebuild
from hindsight.datasets.building.verification_requests import FINISHED, verification_key
from hindsight.datasets.dataset import PARTS, Manifest, read_manifest
from hindsight.datasets.part import read_arrays
from hindsight.lake.object_store import Lake


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a verification: ``problems`` is empty for a dataset that is whole and was rebuilt the same."""

    manifest: Manifest
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Convert the result to JSON objects."""
        return {
            "dataset_id": self.manifest.dataset_id,
            "status": FINISHED,
            "is_reproducible": not self.problems,
            "problems": list(self.problems),
            "digest": self.manifest.digest,
            "rows": {part: self.manifest.counts[part]["rows"] for part in PARTS},
            "sources": len(self.manifest.sources),
        }


@dataclass(frozen=True, slots=True)
class DatasetVerifier:
    """The verifier of datasets; it stores its results beside them."""

    lake: Lake
    configurations: ConfigurationStore

    def verify(self, model: str, dataset_id: str, requested_at: str) -> Verification:
        """Verify a dataset and store the result. Raises NotFound."""
        found = self.check(read_manifest(self.lake, model, dataset_id))
        document = {**found.to_json(), "requested_at": requested_at}
        self.lake.write_bytes(
            verification_key(model, dataset_id), compact_json.dumps(document).encode(), "application/json"
        )
        return found

    def check(self, manifest: Manifest) -> Verification:
        """Check a dataset's parts and rebuild it."""
        return Verification(manifest, (*self._altered_parts(manifest), *self._differences(manifest)))

    def _altered_parts(self, manifest: Manifest) -> list[str]:
        problems = []
        for part in PARTS:
            try:
                read_arrays(self.lake, manifest, part)
            except (UnusableDataset, NotFound) as error:
                problems.append(error.message)
        return problems

    def _differences(self, manifest: Manifest) -> list[str]:
        revision = self.configurations.revision(manifest.model, manifest.configuration_revision)
        try:
            with rebuild(self.lake, manifest, revision) as again:
                # A dataset that rows were erased from keeps the name it had by what was in it before.
                named = replace(again.manifest, dataset_id=manifest.dataset_id, erased=manifest.erased)
                before, after = manifest.to_json(), named.to_json()
        except UnusableDataset as error:
            return [error.message]
        differing = sorted(name for name in before if before[name] != after[name])
        return [f"built again, its {', '.join(differing)} differ"] if differing else []
