"""The lake as the domain sees it: objects by key, and where each kind of row lies."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from hindsight.core.errors import NotFound
from hindsight.lake.bounded_lines import BoundedLine

PREDICTIONS = "predictions"
LABELS = "labels"
COMPACTED = "compacted"
CHECKS = "checks"
QUARANTINE = "quarantine"
REPLAYED = "replayed"
PROFILES = "profiles"
EXPORTS = "exports"
# The lines of a Parquet file beside it are called so, in ``labels/``.
MERGED = "merged-"
# What an erasure leaves of an object that would set work going again when it is written ends so.
REWRITTEN = ".erased"
_DAY = re.compile(r"(?:^|/)date=(\d{4}-\d\d-\d\d)/")


class TaggedObject(NamedTuple):
    """An object's bytes, and a tag: two objects of other bytes have two tags.

    Equal bytes written twice may have two tags as well (they have where the bucket's key encrypts them): a tag guards a
    change, it is no digest.
    """

    content: bytes
    tag: str


class Entry(NamedTuple):
    """An object as a listing shows it; ``tag`` is that of ``TaggedObject``, ``size`` counts its stored bytes."""

    key: str
    tag: str
    size: int
    written_at: datetime


class Lake(Protocol):
    """Durable objects by key; a write returns once it is durable and replaces what the key held."""

    def write_lines(self, key: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Store rows as gzipped JSON lines."""

    def read_lines(self, key: str) -> Iterator[dict[str, Any]]:
        """Read the rows of JSON lines, gzipped or plain, without holding the object; marks of packs are no rows.

        Raises NotFound, UnreadableObject.
        """

    def read_raw_lines(self, key: str) -> Iterator[bytes]:
        """Read the lines of an object as bytes, unzipped, without blank ones. Raises NotFound, UnreadableObject."""

    def read_bounded_lines(self, key: str, *, max_line: int, max_total: int) -> Iterator[BoundedLine]:
        """Read every line of an object, gzipped or plain, blank ones too; of a long one only the beginning.

        Memory stays flat for any unzipped size. Raises NotFound, and UnreadableObject where its gzip is
        damaged or beyond ``max_total`` bytes.
        """

    def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
        """Store bytes."""

    def read_bytes(self, key: str) -> bytes:
        """Read an object's bytes. Raises NotFound."""

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Read so many bytes of an object, fewer where it ends before. Raises NotFound."""

    def download(self, key: str, path: Path) -> None:
        """Copy an object of any size into a file. Raises NotFound."""

    def upload(self, path: Path, key: str, content_type: str) -> None:
        """Store a file of any size; as durable as any other write once it returns."""

    def read_tagged(self, key: str) -> TaggedObject:
        """Read an object's bytes and their tag. Raises NotFound."""

    def replace_bytes(self, key: str, content: bytes, content_type: str, *, expected: str | None) -> bool:
        """Store bytes if the key still holds the object with the ``expected`` tag, or no object where it is None.

        Of several writers that read the same object, one stores its bytes and gets True.
        """

    def tags(self, prefix: str) -> Iterator[tuple[str, str]]:
        """List the keys that start with a prefix, sorted, with their objects' tags."""

    def entries(self, prefix: str, after: str = "") -> Iterator[Entry]:
        """List the objects whose keys start with a prefix and sort after a text, by key, lazily."""

    def link(self, key: str, lasts: timedelta) -> str:
        """Sign an address at which its holder may read an object for a while."""

    def upload_link(self, key: str, lasts: timedelta) -> str:
        """Sign an address to which its holder may put an object for a while, by an HTTP PUT of its bytes."""

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is removed already."""

    def remove(self, prefix: str, tags: Mapping[str, str]) -> None:
        """Remove objects under a prefix, each named with its tag: one that was written again since stays."""

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """List the keys that start with a prefix and sort after a text, sorted, lazily."""


def day_prefix(kind: str, model: str, day: date) -> str:
    """Build the prefix under which a model's rows of one day lie.

    >>> day_prefix(LABELS, "bike-demand", date(2026, 3, 1))
    'labels/model=bike-demand/date=2026-03-01/'
    """
    return f"{model_prefix(kind, model)}date={day.isoformat()}/"


def model_prefix(kind: str, model: str) -> str:
    """Build the prefix under which a model's rows of all days lie."""
    return f"{kind}/model={model}/"


def parse_day(text: str) -> date | None:
    """Parse the day of a partition, None for one that no calendar has.

    >>> parse_day("2026-02-30") is None
    True
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def day_of(key: str) -> date | None:
    """Parse the day that an object lies under, None where it lies under none.

    >>> day_of("feedback/date=2026-03-01/part-1")
    datetime.date(2026, 3, 1)
    >>> day_of("feedback/date=2026-13-01/part-1") is None
    True
    """
    found = _DAY.search(key)
    return parse_day(found[1]) if found else None


def partition_of(key: str, kind: str, model: str) -> date | None:
    """Parse the day whose rows of a model an object holds; None for a foreign object, put there by hand.

    A sweep or a reader passes it over: one such key must not stop it for all the others.

    >>> partition_of("labels/model=bike-demand/date=2026-03-01/1.jsonl.gz", LABELS, "bike-demand")
    datetime.date(2026, 3, 1)
    >>> partition_of("labels/model=bike-demand/copy/date=2026-03-01/1.jsonl.gz", LABELS, "bike-demand") is None
    True
    """
    day = day_of(key)
    folder, _, name = key.rpartition("/")
    # A console's "folder" is an object without a name.
    return day if name and day is not None and f"{folder}/" == day_prefix(kind, model, day) else None


def bounded_lines_of(lake: Lake, key: str, *, max_line: int, max_total: int) -> Iterator[BoundedLine]:
    """Read an object's lines as ``Lake.read_bounded_lines`` does; of a rewritten object, those that are left.

    Lines keep their numbers. Raises NotFound, UnreadableObject.
    """
    try:
        yield from lake.read_bounded_lines(key, max_line=max_line, max_total=max_total)
    except NotFound:
        if key.endswith(REWRITTEN):
            raise
        yield from lake.read_bounded_lines(key + REWRITTEN, max_line=max_line, max_total=max_total)


def read_if_present(lake: Lake, key: str) -> bytes | None:
    """Read an object's bytes, None if there is no such object."""
    try:
        return lake.read_bytes(key)
    except NotFound:
        return None


def keys_between(lake: Lake, kind: str, model: str, start: datetime, end: datetime) -> Iterator[str]:
    """List the keys of a model's rows on every day the span from start to end touches, oldest day first.

    Keys sort by day, so that a span is one listing, however many days it has. Foreign objects are left out.
    """
    first, last = (day_prefix(kind, model, moment.astimezone(UTC).date()) for moment in (start, end))
    for key in lake.keys(model_prefix(kind, model), after=first):
        if key > last and not key.startswith(last):
            return
        if partition_of(key, kind, model) is not None:
            yield key


def dataset_prefix(model: str, dataset_id: str) -> str:
    """Build the prefix under which a dataset's manifest and rows lie."""
    return f"datasets/model={model}/{dataset_id}/"


def export_key(model: str, job_id: str) -> str:
    """Build the key of the labels that a job has exported."""
    return f"{model_prefix(EXPORTS, model)}{job_id}.parquet"


def version_prefix(model: str, version: str) -> str:
    """Build the prefix under which a version's artefact and its companions lie."""
    return f"models/model={model}/version={version}/"


def query_prefix(model: str, decision_id: str) -> str:
    """Build the prefix of Athena's chosen records for a run's dataset, and of the list of their files."""
    return f"queries/model={model}/{decision_id}/"


def training_job_key(model: str, decision_id: str, candidate: str) -> str:
    """Build the prefix of a training job's result."""
    return f"training-jobs/model={model}/{decision_id}/{candidate}.json"
