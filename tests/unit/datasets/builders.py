"""Datasets of a small world, without what refuses them, and their rows as a test looks at them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from hindsight.config.store import ConfigurationRevision
from hindsight.datasets.building.dataset_builder import DatasetSpecification, build_dataset
from hindsight.datasets.building.snapshot import scratch_space
from hindsight.datasets.dataset import PARTS, Manifest, Source
from hindsight.datasets.formats.columns import Categories
from hindsight.datasets.part import unpack
from hindsight.datasets.records.athena_query import ChosenRecords
from hindsight.datasets.records.record_files import FoundFiles, RecordFiles
from hindsight.entities.label_row import LabelRow
from hindsight.lake.object_store import Lake
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.training.world import revision, store

Row = dict[str, Any]


@dataclass(frozen=True)
class Built:
    """A dataset that was put together; the rows of each part as dictionaries."""

    manifest: Manifest
    contents: dict[str, bytes]

    @property
    def parts(self) -> dict[str, list[Row]]:
        return {part: rows_in(content) for part, content in self.contents.items()}

    @property
    def rows(self) -> list[Row]:
        return [row for part in PARTS for row in self.parts[part]]

    @property
    def ids(self) -> set[str]:
        return {row["prediction_id"] for row in self.rows}


def build(
    lake: Lake,
    as_of: datetime,
    configured: ConfigurationRevision | None = None,
    sources: Sequence[Source] | None = None,
    chosen: ChosenRecords | None = None,
) -> Built:
    """Put together what a snapshot would, also where it would refuse it."""
    configured = configured or revision()
    declared = configured.configuration.feature_types
    start = as_of - configured.configuration.training.window
    spec = DatasetSpecification(revision=configured, window_start=start, as_of=as_of, columns=list(declared.items()))
    with scratch_space(threads=1) as (connection, scratch):
        files = RecordFiles(lake, configured.configuration.model, connection, scratch, declared)
        found: FoundFiles = files.between(start, as_of, chosen) if sources is None else files.of(sources)
        built = build_dataset(connection, found, spec, scratch)
        return Built(built.manifest, {part: path.read_bytes() for part, path in built.files.items()})


def built_of(examples: Sequence[LabelRow], as_of: datetime, **sections: Any) -> Built:
    lake = InMemoryLake()
    store(lake, examples)
    return build(lake, as_of, revision(**sections))


def rows_in(content: bytes) -> list[Row]:
    """Read the rows of a part with numpy alone: features by name, identifiers as text."""
    with np.load(io.BytesIO(content), allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    columns: dict[str, list[Any]] = {}
    for name in arrays:
        if name.startswith("vocabulary.") or name == "first_features":
            continue
        column = unpack(name, arrays)
        values = column.texts() if isinstance(column, Categories) else column
        columns[name] = [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
