"""Where predictions, their feedback and their labels are kept together."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from shared.capture.prediction import Prediction, PredictionKey
from shared.labels.collection import Collection
from shared.labels.plan import JoinPlan


class LabelStore(Protocol):
    """Item collections by prediction; every change of one is all or nothing."""

    def load(self, keys: Sequence[PredictionKey]) -> list[Collection]:
        """Return the collections of some predictions, in order, empty ones too. Raises Unavailable."""

    def commit(self, plans: Sequence[JoinPlan]) -> set[PredictionKey]:
        """Write plans, each whole or not at all; return the keys whose collection has changed since it was loaded.

        Keys must differ. Raises Unavailable; what was written until then stays.
        """

    def due(self, model: str, now: datetime) -> Iterator[list[PredictionKey]]:
        """Yield, page by page, the predictions of a model that the clock changes by ``now``."""

    def predictions(self, keys: Sequence[PredictionKey]) -> dict[PredictionKey, Prediction]:
        """Return the predictions that exist of some keys. Raises Unavailable."""
