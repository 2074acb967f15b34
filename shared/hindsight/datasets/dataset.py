"""A dataset in the lake: its manifest and the keys of its parts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Task
from hindsight.core import compact_json
from hindsight.core.codec import from_plain, to_plain
from hindsight.core.errors import UnusableDataset
from hindsight.core.times import moment_name
from hindsight.lake.object_store import Lake, dataset_prefix
from hindsight.registry.version import DatasetRecord

Part = Literal["train", "holdout"]
PARTS: tuple[Part, ...] = ("train", "holdout")

MANIFEST_FORMAT = 4
# What the version that served answered to a row of the holdout.
ANSWER_COLUMNS = ("model_version", "decision", "model_decision", "score")
PARQUET = ".parquet"


@dataclass(frozen=True, slots=True)
class Source:
    """An object the rows came from, with the SHA-256 of its bytes."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """The note that rows of a subject were erased from a dataset: when, how many, and by which erasure."""

    job_id: str
    at: datetime
    rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Maturity:
    """The age from which on a cohort counts, and the age of the oldest rows, which bounds what is known of delays.

    Both in microseconds.
    """

    age: int
    history: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The sources and settings of a dataset, enough to build it again.

    Parameters
    ----------
    window_start, as_of, boundary
        The earliest prediction admitted, the moment of which the dataset shows what was known, and when the holdout
        begins (RFC 3339 text, empty without rows). ``newest`` is the last moment at which a row became known or due.
    columns
        The features held, by name and type; beside the declared ones those that the champion read otherwise.
    rules_revisions
        Those the labels were resolved under.
    counts
        Rows of the parts by class, and those left out by reason.
    maturity
        The age from which on predictions count, as nearly all of their like are due then.
    present, unfit
        Of each declared feature the rows of each part that have a value, and those of both whose value is of another
        type than declared and so counts as missing.
    digest, part_digests, part_bytes
        The SHA-256 of the rows of the parts, of all columns in canonical form and order; how large their objects are.
    sources
        The objects that held the rows.
    erased
        The erasures that took rows out. What is left is what the sources give without them, under the id it had.
    """

    dataset_id: str
    model: str
    task: Task
    as_of: datetime
    window_start: datetime
    boundary: str
    newest: str
    configuration_revision: int
    rules_revisions: tuple[int, ...]
    columns: tuple[tuple[str, FeatureType], ...]
    counts: Mapping[str, Any]
    present: Mapping[str, Mapping[str, int]]
    unfit: Mapping[str, int]
    maturity: Maturity
    digest: str
    part_digests: Mapping[str, str]
    part_bytes: Mapping[str, int]
    sources: tuple[Source, ...]
    erased: tuple[Erasure, ...] = ()

    def key(self, name: str) -> str:
        """Build the key of one of the dataset's objects."""
        return dataset_prefix(self.model, self.dataset_id) + name

    def part_key(self, part: Part) -> str:
        """Build the key of the rows of a part."""
        return self.key(f"{part}.npz")

    @property
    def rows(self) -> dict[str, int]:
        """The rows of each part, those in the gap between them, and those too young to be a sample of their like."""
        dropped = self.counts["dropped"]
        left_out = {"gap": dropped.get("gap", 0), "immature": dropped.get("immature_cohort", 0)}
        return {**{part: int(self.counts[part]["rows"]) for part in PARTS}, **left_out}

    @property
    def record(self) -> DatasetRecord:
        """The registry's record of the dataset."""
        return DatasetRecord(
            dataset_id=self.dataset_id,
            manifest_key=self.key("manifest.json"),
            digest=self.digest,
            as_of=self.as_of,
            configuration_revision=self.configuration_revision,
            counts=self.counts,
        )

    def to_json(self) -> dict[str, Any]:
        """Convert the manifest to JSON objects."""
        return {**to_plain(self), "format": MANIFEST_FORMAT}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Manifest":
        """Read a manifest from JSON objects. Raises UnusableDataset for one of another format."""
        if document.get("format") != MANIFEST_FORMAT:
            name = document.get("dataset_id")
            raise UnusableDataset(f"{name} has a format that is no longer read; take a new snapshot")
        return from_plain(cls, document)


def parquet_name(part: Part, *, with_labels: bool = True) -> str:
    """Name the copy of a part as Parquet, with its labels or without.

    >>> parquet_name("holdout", with_labels=False)
    'holdout-unlabelled.parquet'
    """
    return f"{part}{'' if with_labels else '-unlabelled'}{PARQUET}"


def name_dataset(as_of: datetime, digest: str) -> str:
    """Build a dataset's id: the same moment and content, the same id, sorted by time."""
    return f"d{moment_name(as_of)}-{digest[:12]}"


def keep_manifest(lake: Lake, manifest: Manifest) -> Manifest:
    """Store a manifest, after the parts: a dataset whose manifest exists is whole. Return the one that is stored.

    The first stays: a repeated step finds the same rows, but may find them in objects that were compacted since.
    """
    content = compact_json.dumps(manifest.to_json()).encode()
    if lake.replace_bytes(manifest.key("manifest.json"), content, "application/json", expected=None):
        return manifest
    return read_manifest(lake, manifest.model, manifest.dataset_id)


def read_manifest(lake: Lake, model: str, dataset_id: str) -> Manifest:
    """Read a dataset's manifest. Raises NotFound, and UnusableDataset for one of another format."""
    return Manifest.from_json(json.loads(lake.read_bytes(dataset_prefix(model, dataset_id) + "manifest.json")))
