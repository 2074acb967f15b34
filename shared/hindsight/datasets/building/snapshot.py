"""Snapshots: the labels known at one moment, frozen into a dataset that can be rebuilt bit for bit."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from hindsight.config.features import FeatureType
from hindsight.config.store import ConfigurationRevision
from hindsight.core.errors import NotFound, UnusableDataset
from hindsight.datasets.building.dataset_builder import (
    BuiltDataset,
    DatasetSpecification,
    build_dataset,
)
from hindsight.datasets.dataset import Manifest, keep_manifest, read_manifest
from hindsight.datasets.dataset_check import DatasetCheckFailure, check_dataset
from hindsight.datasets.formats.record_table import connect
from hindsight.datasets.part import CONTENT_TYPE
from hindsight.datasets.records.athena_query import ChosenRecords
from hindsight.datasets.records.record_files import RecordFiles
from hindsight.lake.object_store import Lake
from hindsight.registry.version import DatasetRecord


def take_snapshot(
    lake: Lake,
    revision: ConfigurationRevision,
    as_of: datetime,
    previous: DatasetRecord | None = None,
    *,
    champion_features: Mapping[str, FeatureType] | None = None,
    chosen: ChosenRecords | None = None,
    threads: int | None = None,
) -> Manifest | DatasetCheckFailure:
    """Build and store the dataset as of a moment and return its manifest, unless a check of it fails.

    ``previous`` is the dataset of the last run that came to a verdict: one that adds nothing to it is refused.
    ``champion_features`` are held too where the champion reads them by another type than is declared now, or where
    they are declared no longer: it must be judged on what it was made for. What Athena has ``chosen`` is not looked
    for again. By default all processors are used.
    """
    declared = revision.configuration.feature_types
    extra = [found for found in (champion_features or {}).items() if declared.get(found[0]) is not found[1]]
    spec = DatasetSpecification(
        revision=revision,
        window_start=as_of - revision.configuration.training.window,
        as_of=as_of,
        columns=[*declared.items(), *extra],
    )
    with scratch_space(threads) as (connection, scratch):
        files = RecordFiles(lake, revision.configuration.model, connection, scratch, declared)
        built = build_dataset(connection, files.between(spec.window_start, as_of, chosen), spec, scratch)
        before = _manifest_of(lake, revision, previous)
        shift = revision.configuration.training.max_label_shift
        failure = check_dataset(built.manifest, previous, before, max_label_shift=shift)
        if failure is not None:
            return failure
        return _store(lake, built)


@contextmanager
def rebuild(lake: Lake, manifest: Manifest, revision: ConfigurationRevision) -> Iterator[BuiltDataset]:
    """Rebuild the dataset of a manifest from its sources, for as long as its files are needed.

    Raises UnusableDataset if a source has changed.
    """
    spec = DatasetSpecification(
        revision=revision, window_start=manifest.window_start, as_of=manifest.as_of, columns=manifest.columns
    )
    with scratch_space() as (connection, scratch):
        files = RecordFiles(lake, manifest.model, connection, scratch, spec.declared)
        yield build_dataset(connection, files.of(manifest.sources), spec, scratch, manifest.sources)


@contextmanager
def scratch_space(threads: int | None = None) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Open a scratch space, a database and a folder; both are removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="dataset-") as folder:
        scratch = Path(folder)
        with connect(scratch, threads) as connection:
            yield connection, scratch


def _store(lake: Lake, built: BuiltDataset) -> Manifest:
    for part, path in built.files.items():
        lake.upload(path, built.manifest.part_key(part), CONTENT_TYPE)
    return keep_manifest(lake, built.manifest)


def _manifest_of(lake: Lake, revision: ConfigurationRevision, previous: DatasetRecord | None) -> Manifest | None:
    """Read the manifest of an earlier dataset; None where it is gone or cannot be read."""
    if previous is None:
        return None
    try:
        return read_manifest(lake, revision.configuration.model, previous.dataset_id)
    except (NotFound, UnusableDataset):
        return None
