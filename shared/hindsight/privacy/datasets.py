"""Datasets without a subject's rows: rebuilt from the redacted label records, as if it had never been there."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from hindsight.config.store import ConfigurationStore
from hindsight.core import compact_json
from hindsight.core.errors import NotFound, UnusableDataset
from hindsight.core.times import microseconds
from hindsight.datasets.building.parquet_copies import store_parquet
from hindsight.datasets.building.snapshot import rebuild
from hindsight.datasets.dataset import PARQUET, Erasure, Manifest, Source, read_manifest
from hindsight.datasets.members import MemberStore, index_rows
from hindsight.datasets.part import CONTENT_TYPE
from hindsight.lake.object_store import Lake, dataset_prefix
from hindsight.privacy.passes import Progress
from hindsight.privacy.stores import ObjectVersion, ObjectVersions
from hindsight.privacy.subject import Subject
from hindsight.registry.store import Registry

Replacements = Mapping[tuple[str, str], Source | None]
_OF_ROWS = (".npz", PARQUET)


@dataclass(frozen=True, slots=True)
class DatasetRedactor:
    """The eraser of a subject from the datasets of a model."""

    lake: Lake
    versions: ObjectVersions
    registry: Registry
    configurations: ConfigurationStore
    members: MemberStore

    def redact(
        self, dataset_id: str, subject: Subject, replaced: Replacements, erased: Erasure, progress: Progress
    ) -> bool:
        """Take the subject out of one dataset; return whether it was in there.

        Its sources are named as they are by now. One that cannot be rebuilt loses its rows altogether. Raises
        Unavailable; doing it again is safe.
        """
        prefix = dataset_prefix(subject.model, dataset_id)
        found = [version for version in self.versions.under(prefix) if version.key.endswith(".npz")]
        theirs = {version: _rows_of(self.versions.read(version), subject) for version in found}
        rows = sum(count for version, count in theirs.items() if version.is_current)
        try:
            manifest = read_manifest(self.lake, subject.model, dataset_id)
        except (NotFound, UnusableDataset):
            progress.note_unreadable(f"{prefix}manifest.json")
        else:
            sources = renamed(manifest.sources, replaced)
            if rows or sources != manifest.sources:
                noted = replace(manifest, sources=sources)
                if rows or noted.erased:
                    noted = replace(noted, erased=(*noted.erased, replace(erased, rows=rows)) if rows else noted.erased)
                self._build(noted, is_kept=any(version.is_current for version in found), now=erased.at)
        progress.counts["datasets"] += rows
        self._purge(prefix, theirs, subject)
        return rows > 0

    def _build(self, manifest: Manifest, *, is_kept: bool, now: datetime) -> None:
        if not is_kept:
            self._write_manifest(manifest)
            return
        revision = self.configurations.revision(manifest.model, manifest.configuration_revision)
        try:
            with rebuild(self.lake, manifest, revision) as again:
                for part, path in again.files.items():
                    self.lake.upload(path, manifest.part_key(part), CONTENT_TYPE)
                built = replace(again.manifest, dataset_id=manifest.dataset_id, erased=manifest.erased)
            store_parquet(self.lake, built)
            self._write_manifest(built)
            self.registry.rewrite_dataset(manifest.model, index_rows(self.lake, self.members, built))
        except (UnusableDataset, NotFound):
            # A source is no longer what it was: then the rest of the dataset cannot be known.
            self.members.forget(manifest.model, manifest.dataset_id)
            for key in list(self.lake.keys(manifest.key(""))):
                if key.endswith(_OF_ROWS):
                    self.lake.delete(key)
            self._write_manifest(manifest)
            self.registry.expire_dataset(manifest.model, manifest.dataset_id, now)

    def _write_manifest(self, manifest: Manifest) -> None:
        content = compact_json.dumps(manifest.to_json()).encode()
        self.lake.write_bytes(manifest.key("manifest.json"), content, "application/json")

    def _purge(self, prefix: str, theirs: Mapping[ObjectVersion, int], subject: Subject) -> None:
        """Remove what was replaced for good, also by another writer meanwhile, and every replaced copy unread."""
        replaced = [version for version in self.versions.under(prefix) if not version.is_current]
        self.versions.purge(
            [
                version
                for version in replaced
                if version.key.endswith(_OF_ROWS)
                and (
                    version.key.endswith(PARQUET)
                    or theirs.get(version)
                    or _rows_of(self.versions.read(version), subject)
                )
            ]
        )


def renamed(sources: Iterable[Source], replaced: Replacements) -> tuple[Source, ...]:
    """Rename sources after an erasure, without those that are empty."""
    found = set[Source]()
    for source in sources:
        left: Source | None = source
        while left is not None and (left.key, left.digest) in replaced:
            left = replaced[left.key, left.digest]
        if left is not None:
            found.add(left)
    return tuple(sorted(found, key=lambda source: source.key))


def _rows_of(content: bytes, subject: Subject) -> int:
    """Count the rows of a part that are the subject's."""
    with np.load(io.BytesIO(content), allow_pickle=False) as part:
        ids, entities, moments = part["prediction_id"], part["entity_id"], part["occurred_at"]
    theirs = np.isin(ids, np.array([name.encode() for name in sorted(subject.prediction_ids)], dtype=np.bytes_))
    theirs |= (entities == subject.entity_id.encode()) & (moments <= microseconds(subject.at))
    return int(theirs.sum())
