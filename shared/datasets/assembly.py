"""Files of label records put together as a dataset: its parts, and the manifest that says what they are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any

import duckdb
import numpy as np

from shared import compact_json
from shared.configuration.features import FeatureType
from shared.configuration.metrics import Task
from shared.configuration.store import ConfigurationRevision
from shared.datasets.columns import MISSING, Categories, Column
from shared.datasets.dataset import PARTS, Manifest, Part, Source, name_dataset
from shared.datasets.gathering import Rows, TypedFeature, gather
from shared.datasets.part import column_name, part_digest, write_part
from shared.datasets.record_files import FoundFiles
from shared.datasets.record_scan import RecordScan, Span
from shared.datasets.selection import select


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """A manifest and the files of its parts, not stored yet."""

    manifest: Manifest
    files: Mapping[Part, Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetOrder:
    """What is to be assembled: what was known when, under which configuration, with which features."""

    revision: ConfigurationRevision
    window_start: datetime
    as_of: datetime
    columns: Sequence[TypedFeature]

    @property
    def span(self) -> Span:
        """Which records are seen."""
        return Span(self.window_start, self.as_of)

    @property
    def declared(self) -> dict[str, FeatureType]:
        """The declared features, by type."""
        return declared_types(self.revision)


def declared_types(revision: ConfigurationRevision) -> dict[str, FeatureType]:
    """Return the features a configuration declares, by type, in its order."""
    return {name: feature.type for name, feature in revision.configuration.features.items()}


def assemble(
    connection: duckdb.DuckDBPyConnection,
    found: FoundFiles,
    order: DatasetOrder,
    scratch: Path,
    sources: Sequence[Source] | None = None,
) -> Assembly:
    """Return the dataset that label records make: equal records give equal bytes, however they are spread over files.

    ``sources`` are those to name; by default all objects that held a record seen. Holds the keys of all records seen,
    and all columns of those that are kept, once; the files of the parts are written to ``scratch``.
    """
    scans = [RecordScan(connection, file) for file in found.files]
    configuration = order.revision.configuration
    kept = select(scans, configuration, order.span)
    rows = gather(scans, kept, order.columns, order.declared)
    files: dict[Part, Path] = {}
    digests: dict[str, str] = {}
    for part in PARTS:
        arrays = rows.part(part)
        digests[part], files[part] = part_digest(arrays), scratch / f"{part}.npz"
        write_part(files[part], arrays)
    digest = compact_json.digest({"columns": [list(column) for column in order.columns], "parts": digests})
    manifest = Manifest(
        dataset_id=name_dataset(order.as_of, digest),
        model=configuration.model,
        task=configuration.task,
        as_of=order.as_of,
        window_start=order.window_start,
        boundary=kept.boundary,
        newest=kept.newest,
        configuration_revision=order.revision.revision,
        rules_revisions=tuple(np.unique(rows.arrays["rules_revision"]).tolist()),
        columns=tuple(order.columns),
        counts={
            **{part: _class_counts(rows.column("label", part), configuration.task) for part in PARTS},
            "dropped": kept.dropped,
        },
        present={part: _present(rows, part, order.declared) for part in PARTS},
        unfit={name: count for name, count in rows.unfit.items() if count},
        digest=digest,
        part_digests=digests,
        part_bytes={part: path.stat().st_size for part, path in files.items()},
        sources=tuple(_sources(scans, found, order.span, kept.seen) if sources is None else sources),
    )
    return Assembly(manifest=manifest, files=files)


def _sources(scans: Sequence[RecordScan], found: FoundFiles, span: Span, seen: Sequence[bool]) -> list[Source]:
    """Return the objects that hold a record seen; what arrives later changes no earlier dataset's sources."""
    sources: set[Source] = set()
    for scan, has_seen in zip(scans, seen, strict=True):
        compacted = found.compacted.get(scan.file.path)
        if compacted is None:
            sources.update(Source(key, digest) for key, digest in scan.objects(span))
        elif has_seen:
            sources.add(compacted)
    return sorted(sources, key=lambda source: source.key)


def _present(rows: Rows, part: str, declared: Mapping[str, FeatureType]) -> dict[str, int]:
    columns = {name: rows.column(column_name(name, kind), part) for name, kind in declared.items()}
    return {name: _given(column) for name, column in columns.items()}


def _given(column: Column) -> int:
    if isinstance(column, Categories):
        return int((column.codes != MISSING).sum())
    return len(column) - int(np.isnan(column).sum())


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
