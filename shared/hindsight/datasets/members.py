"""The index of datasets by prediction: a lookup that reads no dataset.

Every row is 13 bytes: 64 bits of the SHA-256 of the prediction's id, its part, and the ``seq`` of its label. Rows are
spread over buckets by those bits, so that one small item answers for a prediction and a dataset.
"""

import hashlib
import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple, Protocol

from hindsight.datasets.dataset import PARTS, Manifest, Part
from hindsight.datasets.formats.npz_members import members_of
from hindsight.lake.object_store import Lake
from hindsight.registry.version import DatasetRecord

ROWS_A_BUCKET = 250
_ENTRY = struct.Struct(">QBi")


class Member(NamedTuple):
    """A row of a dataset: its prediction, its part, and the number of its label record."""

    prediction_id: str
    part: Part
    seq: int


class MemberStore(Protocol):
    """The store of datasets' buckets."""

    def replace(self, model: str, dataset_id: str, buckets: Mapping[int, bytes]) -> None:
        """Store a dataset's buckets in place of all it had. Raises Unavailable; doing it again is safe."""

    def buckets(self, model: str, wanted: Mapping[str, int]) -> dict[str, bytes]:
        """Read one bucket of each of some datasets, empty ones left out. Raises Unavailable."""

    def forget(self, model: str, dataset_id: str) -> None:
        """Remove all buckets of a dataset. Raises Unavailable; doing it again is safe."""


def index_rows(lake: Lake, store: MemberStore, manifest: Manifest) -> DatasetRecord:
    """Index the rows of a stored dataset; its record then has the number of ``buckets``. Raises Unavailable."""
    rows = [member for part in PARTS for member in _rows_of(lake, manifest, part)]
    count = max(1, -(-len(rows) // ROWS_A_BUCKET))
    store.replace(manifest.model, manifest.dataset_id, spread(rows, count))
    return manifest.record.replace(buckets=count)


def spread(rows: Iterable[Member], count: int) -> dict[int, bytes]:
    """Spread rows over a number of buckets, those without any left out."""
    entries: dict[int, list[bytes]] = {}
    for row in rows:
        identity = _identity(row.prediction_id)
        entry = _ENTRY.pack(identity, PARTS.index(row.part), row.seq)
        entries.setdefault(identity * count >> 64, []).append(entry)
    return {bucket: b"".join(sorted(found)) for bucket, found in entries.items()}


def bucket_of(prediction_id: str, count: int) -> int:
    """Compute the bucket of a prediction among a number of buckets."""
    return _identity(prediction_id) * count >> 64


def find_member(entries: bytes, prediction_id: str) -> Member | None:
    """Find the row of a prediction in a bucket, None if it has none."""
    identity = _identity(prediction_id)
    for found, part, seq in _ENTRY.iter_unpack(entries):
        if found == identity:
            return Member(prediction_id, PARTS[part], seq)
    return None


def _identity(prediction_id: str) -> int:
    return int.from_bytes(hashlib.sha256(prediction_id.encode()).digest()[:8], "big")


def _rows_of(lake: Lake, manifest: Manifest, part: Part) -> Iterator[Member]:
    """Read the rows of a part; of the object only the ids and ``seq`` are read."""
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
