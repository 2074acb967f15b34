"""A dataset in the lake: its manifest and its two parts."""

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from shared import compact_json
from shared.datasets.examples import Row, Source, lines_of
from shared.errors import UnusableDataset
from shared.lake import Lake, dataset_prefix
from shared.registry.run import moment_name
from shared.times import format_time, parse_time

Part = Literal["train", "holdout"]

MANIFEST_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything that went into a dataset, enough to build it again.

    ``digest`` is the SHA-256 of all rows in canonical form and order, ``part_digests`` that of each part;
    ``rules_revisions`` are those the labels were resolved under, ``window_start`` the earliest prediction admitted.
    """

    dataset_id: str
    model: str
    as_of: datetime
    window_start: datetime
    boundary: str
    configuration_revision: int
    rules_revisions: tuple[int, ...]
    columns: tuple[str, ...]
    counts: Mapping[str, Any]
    digest: str
    part_digests: Mapping[str, str]
    sources: tuple[Source, ...]

    def key(self, name: str) -> str:
        """Return the key of one of the dataset's objects."""
        return dataset_prefix(self.model, self.dataset_id) + name

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as JSON objects."""
        times = {"as_of": format_time(self.as_of), "window_start": format_time(self.window_start)}
        return {**asdict(self), **times, "format": MANIFEST_FORMAT}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Manifest":
        """Return the manifest ``to_json`` showed."""
        known = {name: document[name] for name in cls.__slots__}
        known |= {name: parse_time(document[name]) for name in ("as_of", "window_start")}
        known |= {name: tuple(document[name]) for name in ("rules_revisions", "columns")}
        return cls(**(known | {"sources": tuple(Source(**source) for source in document["sources"])}))


def name_dataset(as_of: datetime, digest: str) -> str:
    """Return a dataset's id: the same moment and content, the same id, sorted by time."""
    return f"d{moment_name(as_of)}-{digest[:12]}"


def digest_of(rows: Sequence[Row]) -> str:
    """Return the SHA-256 of rows in the order given."""
    running = hashlib.sha256()
    for row in rows:
        running.update(row.line)
        running.update(b"\n")
    return running.hexdigest()


def write_dataset(lake: Lake, manifest: Manifest, parts: Mapping[Part, Sequence[Row]]) -> None:
    """Store a dataset, the manifest last: a dataset whose manifest exists is whole."""
    for part, rows in parts.items():
        content = gzip.compress(b"".join(row.line + b"\n" for row in rows), compresslevel=6, mtime=0)
        lake.write_bytes(manifest.key(f"{part}.jsonl.gz"), content, "application/x-ndjson")
    lake.write_bytes(manifest.key("manifest.json"), compact_json.dumps(manifest.to_json()).encode(), "application/json")


def read_manifest(lake: Lake, model: str, dataset_id: str) -> Manifest:
    """Return a dataset's manifest. Raises NotFound."""
    return Manifest.from_json(json.loads(lake.read_bytes(dataset_prefix(model, dataset_id) + "manifest.json")))


def read_part(lake: Lake, manifest: Manifest, part: Part) -> Iterator[dict[str, Any]]:
    """Yield the rows of a part. Raises UnusableDataset, before the first row, if they are not what was written."""
    content = lake.read_bytes(manifest.key(f"{part}.jsonl.gz"))
    running = hashlib.sha256()
    for line in lines_of(content):
        running.update(line + b"\n")
    if running.hexdigest() != manifest.part_digests[part]:
        raise UnusableDataset(f"the {part} part of {manifest.dataset_id} is not what its manifest says")
    return map(json.loads, lines_of(content))
