"""A split in time: train on what could have been known before the holdout began."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]


class RowTimes(Protocol):
    """A row with a prediction's time and the time its outcome is due, both sortable text."""

    @property
    def occurred_at(self) -> str:
        """The time of the prediction."""

    @property
    def outcome_due_at(self) -> str:
        """The time its outcome is due."""


TimedRow = TypeVar("TimedRow", bound=RowTimes)


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of the rows on either side of ``boundary``; those in the gap are in neither part."""

    train: list[int]
    holdout: list[int]
    boundary: str


def split_by_time(rows: Sequence[TimedRow], share: float) -> Split:
    """Split rows: the newest ``share`` as the holdout and, to train on, what was due when the holdout began.

    ``rows`` are in the order of their prediction's time. Rows of one moment stay together. The gap is as wide as
    the label delay of each row: a model trained at the boundary would not have had its outcome yet, and outcomes of
    one class often come first, so that those that had come are no fair sample.
    """
    first = max(0, len(rows) - ceil(len(rows) * share))
    if not rows:
        return Split([], [], "")
    boundary = rows[min(first, len(rows) - 1)].occurred_at
    start = bisect_left(rows, boundary, key=lambda row: row.occurred_at)
    train = [position for position in range(start) if rows[position].outcome_due_at <= boundary]
    return Split(train, list(range(start, len(rows))), boundary)


def split_moments(occurred: Longs, due: Longs, share: float) -> tuple[Longs, int]:
    """Split two arrays of moments as ``split_by_time`` splits rows.

    Returns the positions to train on, and the position that the holdout begins at.

    >>> moments = np.arange(10)
    >>> train, first = split_moments(moments, moments + 2, 0.3)
    >>> train.tolist(), first
    ([0, 1, 2, 3, 4, 5], 7)
    """
    if not len(occurred):
        return np.zeros(0, dtype=np.int64), 0
    first = min(max(0, len(occurred) - ceil(len(occurred) * share)), len(occurred) - 1)
    boundary = occurred[first]
    start = int(np.searchsorted(occurred, boundary, side="left"))
    return np.flatnonzero(due[:start] <= boundary), start
