"""The dataset builder: from files of label records to the parts of a dataset and its manifest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any

import duckdb
import numpy as np

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Task
from hindsight.config.store import ConfigurationRevision
from hindsight.core import compact_json
from hindsight.datasets.building.column_reader import ColumnReader, TypedFeature
from hindsight.datasets.building.selection import RowSelection, select
from hindsight.datasets.dataset import ANSWER_COLUMNS, PARTS, Manifest, Part, Source, name_dataset
from hindsight.datasets.formats.columns import MISSING, Categories, Column
from hindsight.datasets.label_shift import furthest_apart
from hindsight.datasets.part import Array, PartWriter, column_name, pack
from hindsight.datasets.records.record_files import FoundFiles
from hindsight.datasets.records.record_scan import RecordScan, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltDataset:
    """A manifest and the files of its parts, not stored yet."""

    manifest: Manifest
    files: Mapping[Part, Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSpecification:
    """The dataset to build: as of when, under which configuration, with which features."""

    revision: ConfigurationRevision
    window_start: datetime
    as_of: datetime
    columns: Sequence[TypedFeature]

    @property
    def span(self) -> Span:
        """The span of the records seen."""
        return Span(self.window_start, self.as_of)

    @property
    def declared(self) -> dict[str, FeatureType]:
        """The declared features, by type."""
        return self.revision.configuration.feature_types


def build_dataset(
    connection: duckdb.DuckDBPyConnection,
    found: FoundFiles,
    spec: DatasetSpecification,
    scratch: Path,
    sources: Sequence[Source] | None = None,
) -> BuiltDataset:
    """Build the dataset of label records: equal records give equal bytes, however they are spread over files.

    ``sources`` are those to name; by default all objects that held a record seen. Memory holds the keys of all records
    seen and a few columns of those that are kept; the files of the parts are written to ``scratch``.
    """
    scans = [RecordScan(connection, file) for file in found.files]
    configuration = spec.revision.configuration
    kept = select(scans, configuration, spec.span)
    reader = ColumnReader(scans, kept)
    written = _write(reader, spec, scratch)
    digest = compact_json.digest({"columns": [list(column) for column in spec.columns], "parts": written.digests})
    manifest = Manifest(
        dataset_id=name_dataset(spec.as_of, digest),
        model=configuration.model,
        task=configuration.task,
        as_of=spec.as_of,
        window_start=spec.window_start,
        boundary=kept.boundary,
        newest=kept.newest,
        configuration_revision=spec.revision.revision,
        rules_revisions=written.rules_revisions,
        columns=tuple(spec.columns),
        counts={**_label_counts(kept, configuration.task), "dropped": kept.dropped},
        maturity=kept.maturity,
        present=written.present,
        unfit=reader.unfit(spec.declared),
        digest=digest,
        part_digests=written.digests,
        part_bytes={part: path.stat().st_size for part, path in written.files.items()},
        sources=tuple(_sources(scans, found, spec.span, kept.seen) if sources is None else sources),
    )
    return BuiltDataset(manifest=manifest, files=written.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WrittenDataset:
    files: Mapping[Part, Path]
    digests: Mapping[str, str]
    present: Mapping[str, Mapping[str, int]]
    rules_revisions: tuple[int, ...]


def _write(reader: ColumnReader, spec: DatasetSpecification, scratch: Path) -> _WrittenDataset:
    """Write both parts, column by column."""
    writers = {part: PartWriter(scratch / f"{part}.npz") for part in PARTS}
    present: dict[str, dict[str, int]] = {part: {} for part in PARTS}

    def add(part: Part, name: str, column: Array | Categories) -> None:
        for held, array in pack(name, column).items():
            writers[part].add(held, array)

    columns = reader.columns()
    answers = reader.answers(spec.revision.configuration.task)
    first = reader.first_features()
    for part in PARTS:
        # What was answered judges the versions that answered it; nothing is to be learnt from it.
        held = columns | {name: answers[name] for name in ANSWER_COLUMNS} if part == "holdout" else columns
        for name, column in held.items():
            add(part, name, _cut(column, reader.kept.place(part)))
        writers[part].add("first_features", first[part])
    for (name, kind), column in reader.features(spec.columns):
        for part in PARTS:
            rows = _cut(column, reader.kept.place(part))
            add(part, column_name(name, kind), rows)
            if spec.declared.get(name) is kind:
                present[part][name] = _given(rows)
    return _WrittenDataset(
        files={part: writer.path for part, writer in writers.items()},
        digests={part: writer.close() for part, writer in writers.items()},
        present=present,
        rules_revisions=tuple(np.unique(np.asarray(columns["rules_revision"])).tolist()),
    )


def _cut(column: Array | Categories, place: slice) -> Any:
    """Cut rows out of a column; a vocabulary stays that of all rows, identifiers become as narrow as they can be."""
    if isinstance(column, Categories):
        return Categories(column.codes[place], column.vocabulary)
    rows = column[place]
    if rows.dtype.kind != "S":
        return rows
    width = max(1, int(np.strings.str_len(rows).max(initial=1)))
    return rows.astype(f"S{width}", copy=False)


def _sources(scans: Sequence[RecordScan], found: FoundFiles, span: Span, seen: Sequence[bool]) -> list[Source]:
    """List the objects that hold a record seen; what arrives later changes no earlier dataset's sources."""
    sources: set[Source] = set()
    for scan, has_seen in zip(scans, seen, strict=True):
        compacted = found.compacted.get(scan.file.path)
        if compacted is None:
            sources.update(Source(key, digest) for key, digest in scan.objects(span))
        elif has_seen:
            sources.update(compacted)
    return sorted(sources, key=lambda source: source.key)


def _given(column: Column) -> int:
    if isinstance(column, Categories):
        return int((column.codes != MISSING).sum())
    return len(column) - int(np.isnan(column).sum())


def _label_counts(kept: RowSelection, task: Task) -> dict[str, dict[str, Any]]:
    labels = {part: _cut(kept.labels, kept.place(part)) for part in PARTS}
    counts: dict[str, dict[str, Any]] = {part: _class_counts(found, task) for part, found in labels.items()}
    if task is Task.REGRESSION:
        counts["holdout"]["furthest"] = furthest_apart(labels["train"], labels["holdout"])
    return counts


def _class_counts(labels: Column, task: Task) -> dict[str, Any]:
    if isinstance(labels, Categories):
        counts = Counter(dict(zip(labels.vocabulary, np.bincount(labels.codes, minlength=1).tolist(), strict=False)))
        return {"rows": len(labels.codes), "classes": {name: count for name, count in sorted(counts.items()) if count}}
    if task is Task.BINARY:
        positive = int(labels.sum())
        classes = {"0": len(labels) - positive, "1": positive}
        return {"rows": len(labels), "classes": {name: count for name, count in classes.items() if count}}
    values = labels.tolist() or [0.0]
    return {
        "rows": len(labels),
        "mean": fmean(values),
        "median": median(values),
        "least": min(values),
        "greatest": max(values),
    }
