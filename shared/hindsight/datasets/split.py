"""A split in time: training rows were known before the holdout began."""

from math import ceil

import numpy as np
import numpy.typing as npt

Longs = npt.NDArray[np.int64]


def split_moments(occurred: Longs, due: Longs, share: float) -> tuple[Longs, int]:
    """Split rows: the newest ``share`` as the holdout and, to train on, those due when the holdout began.

    ``occurred``, in order, is when the rows' predictions were made, ``due`` when their outcomes are. Rows of one moment
    stay together. The gap is as wide as the label delay of each row: a model trained at the boundary would not have had
    its outcome yet, and outcomes of one class often come first, so that those that had come are no fair sample.

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
