"""The moments of predictions, made and due: columns that read as rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from hindsight.core.times import moment_text

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moments:
    """The time of a prediction and the time its outcome is due, as RFC 3339 text."""

    occurred_at: str
    outcome_due_at: str


@dataclass(frozen=True, slots=True, eq=False)
class MomentColumns(Sequence[Moments]):
    """The moments of n rows as microseconds since 1970, each shape (n,): text only of the rows that are looked at."""

    occurred: Longs
    due: Longs

    def __len__(self) -> int:
        return len(self.occurred)

    @overload
    def __getitem__(self, place: int) -> Moments: ...
    @overload
    def __getitem__(self, place: slice) -> "MomentColumns": ...
    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return self.at(place)
        return Moments(moment_text(int(self.occurred[place])), moment_text(int(self.due[place])))

    def __iter__(self) -> Iterator[Moments]:
        return (self[place] for place in range(len(self)))

    def at(self, places: Any) -> "MomentColumns":
        """Select some of the rows, by a slice or an array of positions."""
        return MomentColumns(self.occurred[places], self.due[places])
