"""A sample of whole rows in a profile, for relations between columns."""

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

HOUR_CAPACITY = 100
WINDOW_CAPACITY = 2_000
_BYTES_A_ROW = 20 * 1024  # on average; beyond it fewer rows are kept

Hashes = npt.NDArray[np.uint64]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class SampledRow(NamedTuple):
    """A row under the hash of its id; packed until it is read."""

    hash: int
    packed: bytes

    @classmethod
    def of(cls, hash_: int, row: Mapping[str, Any]) -> Self:
        """Pack a row: ``prediction_id``, ``features``, ``score`` and ``decision``."""
        return cls(hash_, _encode(row))


class RowSample(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The rows whose hash lies below ``threshold``, all where there is none: a uniform sample, in any order.

    A sample that would outgrow its capacity lowers its threshold, and one that is merged keeps to the lower of both
    thresholds, so that what is left is uniform over the rows of both, however unlike in number they are
    (Dasgupta, Lang, Rhodes & Thaler 2016, "A framework for estimating stream expression cardinalities").

    >>> sample = RowSample.of([SampledRow.of(hash_, {"prediction_id": str(hash_)}) for hash_ in (5, 1, 3)], capacity=2)
    >>> [row["prediction_id"] for row in sample.rows]
    ['1', '3']
    """

    threshold: int | None = None
    capacity: int = HOUR_CAPACITY
    sampled: tuple[SampledRow, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[SampledRow], *, capacity: int, threshold: int | None = None) -> Self:
        """Build the sample of rows; of rows under one hash one is kept."""
        ordered = sorted(row for row in rows if threshold is None or row.hash < threshold)
        if len({row.hash for row in ordered}) < len(ordered):
            ordered = [row for place, row in enumerate(ordered) if not place or ordered[place - 1].hash != row.hash]
        sizes = list(accumulate(len(row.packed) for row in ordered[:capacity]))
        kept = bisect_right(sizes, capacity * _BYTES_A_ROW)
        if kept < len(ordered):
            threshold = ordered[kept].hash
        return cls(threshold=threshold, capacity=capacity, sampled=tuple(ordered[:kept]))

    @classmethod
    def merged(cls, samples: Sequence["RowSample"], capacity: int | None = None) -> Self:
        """Merge samples into one of all their rows, by default with the largest capacity among them."""
        room = capacity or max((sample.capacity for sample in samples), default=HOUR_CAPACITY)
        threshold = min((sample.threshold for sample in samples if sample.threshold is not None), default=None)
        rows = (row for sample in samples for row in sample.sampled)
        return cls.of(rows, capacity=room, threshold=threshold)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows by their hashes: ``prediction_id``, ``features``, ``score``, ``decision``, perhaps ``weight``."""
        return [_decode(row.packed) for row in self.sampled]

    @property
    def even_rows(self) -> list[dict[str, Any]]:
        """The rows that are left where each is kept with a probability in proportion to its weight; all of equal ones.

        They resemble all predictions, and none comes twice (rejection sampling; von Neumann, 1951).
        """
        rows = self.rows
        weights = np.array([row.get("weight", 1) for row in rows], dtype=np.float64)
        if not len(rows) or np.ptp(weights) == 0.0:
            return rows
        # Another hash than that of the sample, which would keep the light rows that it has left in.
        draws = hash_ids([f"even {row['prediction_id']}" for row in rows]) / 2.0**64
        return [rows[place] for place in np.flatnonzero(draws < weights / weights.max())]


def hash_ids(ids: Sequence[str]) -> Hashes:
    """Hash ids, spread evenly over 64 bits, shape (rows,); the same in every process.

    CRC-32 alone would pick ids of one pattern, since it is linear; the finaliser of SplitMix64 (Steele et al. 2014)
    breaks that.
    """
    try:
        hashes = np.fromiter(map(zlib.crc32, map(str.encode, ids)), np.uint64, len(ids))
    except UnicodeEncodeError:
        hashes = np.fromiter((zlib.crc32(text.encode("utf-8", "replace")) for text in ids), np.uint64, len(ids))
    with np.errstate(over="ignore"):
        hashes += np.uint64(0x9E3779B97F4A7C15)
        hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = hashes ^ (hashes >> np.uint64(31))
    return mixed
