"""Which predictions a dataset holds: an index beside the registry, asked without reading the dataset.

Every row is 13 bytes: 64 bits of the SHA-256 of the prediction's id, its part, and the ``seq`` of its label. Rows are
spread over buckets by those bits, so that whether a dataset holds a prediction is told by one small item.
"""

import hashlib
import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple, Protocol

from shared.datasets.dataset import PARTS, Manifest, Part
from shared.datasets.npz_members import members_of
from shared.lake import Lake
from shared.registry.version import DatasetRecord

ROWS_A_BUCKET = 250
_ENTRY = struct.Struct(">QBi")


class Member(NamedTuple):
    """A row of a dataset: of which prediction, in which part, with which record of its label."""

    prediction_id: str
    part: Part
    seq: int


class MemberStore(Protocol):
    """Where the buckets of datasets are kept."""

    def replace(self, model: str, dataset_id: str, buckets: Mapping[int, bytes]) -> None:
        """Store a dataset's buckets in place of all it had. Raises Unavailable; doing it again is safe."""

    def buckets(self, model: str, wanted: Mapping[str, int]) -> dict[str, bytes]:
        """Return one bucket of each of some datasets, those that are empty left out. Raises Unavailable."""

    def forget(self, model: str, dataset_id: str) -> None:
        """Remove all buckets of a dataset. Raises Unavailable; doing it again is safe."""


def index_rows(lake: Lake, store: MemberStore, manifest: Manifest) -> DatasetRecord:
    """Index the rows of a dataset that is stored; return its record, which says so. Raises Unavailable."""
    rows = [member for part in PARTS for member in _rows_of(lake, manifest, part)]
    count = max(1, -(-len(rows) // ROWS_A_BUCKET))
    store.replace(manifest.model, manifest.dataset_id, spread(rows, count))
    return replace(manifest.record, buckets=count)


def spread(rows: Iterable[Member], count: int) -> dict[int, bytes]:
    """Spread rows over a number of buckets, those without any left out."""
    entries: dict[int, list[bytes]] = {}
    for row in rows:
        identity = _identity(row.prediction_id)
        entry = _ENTRY.pack(identity, PARTS.index(row.part), row.seq)
        entries.setdefault(identity * count >> 64, []).append(entry)
    return {bucket: b"".join(sorted(found)) for bucket, found in entries.items()}


def bucket_of(prediction_id: str, count: int) -> int:
    """Return which of a number of buckets tells of a prediction."""
    return _identity(prediction_id) * count >> 64


def find_member(entries: bytes, prediction_id: str) -> Member | None:
    """Return the row of a prediction in a bucket, None if it has none."""
    identity = _identity(prediction_id)
    for found, part, seq in _ENTRY.iter_unpack(entries):
        if found == identity:
            return Member(prediction_id, PARTS[part], seq)
    return None


def _identity(prediction_id: str) -> int:
    return int.from_bytes(hashlib.sha256(prediction_id.encode()).digest()[:8], "big")


def _rows_of(lake: Lake, manifest: Manifest, part: Part) -> Iterator[Member]:
    """Yield the rows of a part; of the object only the ids and ``seq`` are read."""
    read = partial(lake.read_range, manifest.part_key(part))
    arrays = members_of(read, manifest.part_bytes[part], ("prediction_id", "seq"))
    names, seqs = arrays["prediction_id"], arrays["seq"]
    rows, width = names.shape[0], int(names.dtype[2:])
    if not rows:
        return
    ids, numbers = read(names.start, rows * width), array("i")
    numbers.frombytes(read(seqs.start, rows * numbers.itemsize))
    for row, seq in enumerate(numbers):
        yield Member(ids[row * width : (row + 1) * width].rstrip(b"\0").decode(), part, seq)
