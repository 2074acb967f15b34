"""The port of the store of predictions with their feedback and labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hindsight.entities.label_collection import Collection
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.labels.plan import JoinPlan


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a model's predictions, the same ones each time: one of so many, all of them by default."""

    number: int = 0
    of: int = 1


ALL = Share()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLabels:
    """Predictions whose label the clock is still to change; ``capped`` if there are more than were counted."""

    predictions: int
    next_due_at: datetime | None
    capped: bool


class LabelStore(Protocol):
    """Item collections by prediction; every change of one is all or nothing."""

    def load(self, keys: Sequence[PredictionKey]) -> list[Collection]:
        """Read the collections of some predictions, in order, empty ones too. Raises Unavailable."""

    def commit(self, plans: Sequence[JoinPlan]) -> set[PredictionKey]:
        """Write plans, each whole or not at all; return the keys whose collection has changed since it was loaded.

        Keys must differ. Raises Unavailable; what was written until then stays.
        """

    def due(self, model: str, now: datetime, share: Share = ALL) -> Iterator[list[PredictionKey]]:
        """Find, page by page, the predictions of a model's share whose windows close by ``now``.

        The first one of a page has been due for as long as any other of it.
        """

    def open_labels(self, model: str, now: datetime, most: int) -> OpenLabels:
        """Count, up to some ``most``, the predictions that the clock changes after ``now``; find the next moment."""

    def predictions(self, keys: Sequence[PredictionKey]) -> dict[PredictionKey, Prediction]:
        """Read the predictions that exist of some keys. Raises Unavailable."""
