"""The verification of datasets: their parts are whole, and their sources rebuild them bit for bit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hindsight.config.store import ConfigurationStore, find_work
from hindsight.core.errors import NotFound, UnusableDataset
from hindsight.core.jobs import Job, JobKind, JobStore
from hindsight.datasets.building.snapshot import rebuild
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
            "is_reproducible": not self.problems,
            "problems": list(self.problems),
            "digest": self.manifest.digest,
            "rows": {part: self.manifest.counts[part]["rows"] for part in PARTS},
            "sources": len(self.manifest.sources),
        }


@dataclass(frozen=True, slots=True)
class DatasetVerifier:
    """The verifier of datasets; ``clock`` says when a verification ends."""

    lake: Lake
    jobs: JobStore
    configurations: ConfigurationStore
    clock: Callable[[], datetime]

    def run(self, model: str, job_id: str) -> Job | None:
        """Do a verification; one that is over is left as it is.

        None of one that was erased with its model. Raises NotFound for an unknown one.
        """
        kind = JobKind.VERIFICATION
        job = find_work(self.jobs, self.configurations, model, job_id, kind, clock=self.clock, of_retired=True)
        if job is None or job.is_over:
            return job
        try:
            found = self.check(read_manifest(self.lake, model, job.request["dataset_id"]))
        except (NotFound, UnusableDataset) as error:
            ended = job.failed(self.clock(), error.message)
        else:
            ended = job.completed(self.clock(), found.to_json())
        self.jobs.save(ended)
        return ended

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
