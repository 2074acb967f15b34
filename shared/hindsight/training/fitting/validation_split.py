"""The validation split: the train part cut in two by time, as the holdout is cut from the dataset."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from hindsight.config.training import Training
from hindsight.datasets.split import split_moments
from hindsight.training.fitting.labelled_frame import LabelledFrame
from hindsight.training.fitting.paired_losses import Truth
from hindsight.training.fitting.weighting import row_weights

_MIN_ROWS = 20


@dataclass(frozen=True, slots=True)
class ValidationSplit:
    """Rows whose outcome was due before the later ones were predicted, and the later ones.

    The holdout stays unseen until the gate: what is chosen on it would flatter what was chosen.
    """

    earlier: LabelledFrame
    later: LabelledFrame

    @classmethod
    def of(cls, train: LabelledFrame, training: Training) -> Self | None:
        """Split the rows, the newest share as the later ones.

        None where the earlier have one class only, or no value of any feature: nothing can be chosen by them.
        """
        matured, first = split_moments(train.moments.occurred, train.moments.due, training.holdout)
        earlier = train.at(matured)
        if len(matured) < _MIN_ROWS or _classes(earlier) < 2:
            earlier = train.at(range(first))
        if _classes(earlier) < 2 or not earlier.frame.notna().to_numpy().any():
            return None
        return cls(earlier, train.at(range(first, len(train.labels))))

    def truth(self, training: Training) -> Truth:
        """Pair the later rows' labels with their weights."""
        return Truth(self.later.labels, row_weights(self.later, training))


def newest(rows: LabelledFrame, most: int) -> LabelledFrame:
    """Select the newest rows, all if there are no more than ``most``."""
    return rows if len(rows.labels) <= most else rows.at(range(len(rows.labels) - most, len(rows.labels)))


def thinned(rows: LabelledFrame, most: int) -> LabelledFrame:
    """Thin rows evenly to ``most`` at most, so that the whole time is represented."""
    places = np.linspace(0, len(rows.labels) - 1, min(most, len(rows.labels))).astype(np.intp)
    return rows if len(rows.labels) <= most else rows.at(places)


def _classes(rows: LabelledFrame) -> int:
    return len(np.unique(rows.labels))
