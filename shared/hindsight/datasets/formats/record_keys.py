"""The keys of label records as arrays: which of them are the newest of their prediction, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]
Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Names = npt.NDArray[np.bytes_]


@dataclass(frozen=True, slots=True, eq=False)
class RecordKeys:
    """n records, by what decides about them; moments are microseconds since 1970.

    ``hashes`` are equal for equal names; ``manual`` are a reviewer's labels, ``picked`` those of predictions that were
    picked for review, ``labelled`` those with a value. ``digests`` distinguish contents. ``file`` and ``row`` locate
    the rest of a record.
    """

    names: Names
    hashes: npt.NDArray[np.uint64]
    seq: npt.NDArray[np.int32]
    occurred: Longs
    due: Longs
    known: Longs
    labelled: Flags
    manual: Flags
    picked: Flags
    digests: Longs
    file: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]

    def rows_at(self, places: Places) -> "RowKeys":
        """Select the keys of some of the records."""
        return RowKeys(*(getattr(self, field.name)[places] for field in fields(RowKeys)))

    @classmethod
    def none(cls) -> "RecordKeys":
        """Build the keys of no records."""
        longs, flags = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
        names, hashes = np.zeros(0, dtype="S1"), np.zeros(0, dtype=np.uint64)
        whole = np.zeros(0, dtype=np.int32)
        return cls(names, hashes, whole, longs, longs, longs, flags, flags, flags, longs, whole, whole)

    @classmethod
    def joined(cls, parts: Sequence["RecordKeys"]) -> "RecordKeys":
        """Join several sets of records, in their order."""
        if not parts:
            return cls.none()
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


@dataclass(frozen=True, slots=True, eq=False)
class RowKeys:
    """The keys of n records that became rows: what a dataset keeps of them, and where the rest is."""

    names: Names
    seq: npt.NDArray[np.int32]
    occurred: Longs
    due: Longs
    known: Longs
    file: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Newest:
    """The newest record of every prediction, by place; ``otherwise`` marks those that another source labelled too."""

    places: Places
    otherwise: Flags


def newest_of(keys: RecordKeys) -> Newest:
    """Find the newest record of each prediction, the one with the highest ``seq``.

    One that was delivered twice counts once; of two that differ though their ``seq`` does not, the one that was picked
    for review, else by content, so that it does not matter how records are spread over objects. A reviewer's label of a
    picked prediction is ``otherwise`` if another record of the prediction has a value from another source.
    """
    by_hash = np.argsort(keys.hashes)
    several = by_hash[_repeated(keys.hashes[by_hash])]
    newest, otherwise = np.ones(len(by_hash), dtype=bool), np.zeros(len(by_hash), dtype=bool)
    if len(several):
        several, begins = _grouped(keys, several)
        winners = several[np.append(begins[1:], len(several)) - 1]
        newest[several] = False
        newest[winners] = True
        elsewhere = np.logical_or.reduceat((keys.labelled & ~keys.manual)[several], begins)
        otherwise[winners] = elsewhere & keys.manual[winners] & keys.picked[winners]
    # In the order they came in, which is nearly that of time: what follows reads memory as it lies.
    places = np.flatnonzero(newest)
    return Newest(places, otherwise[places])


def by_place(occurred: Longs, names: Names) -> Places:
    """Compute the order of a dataset: by the prediction's time, then its id.

    >>> by_place(np.array([2, 1, 1]), np.array([b"a", b"c", b"b"])).tolist()
    [2, 1, 0]
    """
    order = np.argsort(occurred, kind="stable")
    tied = _repeated(occurred[order])
    # Sorting text is what costs, so only what time leaves open is sorted by it.
    if tied.any():
        among = order[tied]
        order[tied] = among[np.lexsort((names[among], occurred[among]))]
    return order


def _repeated(ordered: npt.NDArray[Any]) -> Flags:
    """Mark the values, in order, that are equal to one beside them."""
    repeated = np.zeros(len(ordered), dtype=bool)
    same = ordered[1:] == ordered[:-1]
    repeated[1:] |= same
    repeated[:-1] |= same
    return repeated


def _grouped(keys: RecordKeys, places: Places) -> tuple[Places, Places]:
    """Sort places by prediction, the newest record last; locate the first of each prediction."""
    ranks = (keys.digests[places], keys.picked[places], keys.seq[places])
    hashes, names = keys.hashes[places], keys.names[places]
    order = np.lexsort((*ranks, hashes))
    is_same_hash = hashes[order][1:] == hashes[order][:-1]
    is_same_name = names[order][1:] == names[order][:-1]
    if (is_same_hash & ~is_same_name).any():  # two names under one hash: rare enough to sort all by name
        order = np.lexsort((*ranks, names))
        is_same_name = names[order][1:] == names[order][:-1]
    return places[order], np.flatnonzero(np.append(True, ~is_same_name))
