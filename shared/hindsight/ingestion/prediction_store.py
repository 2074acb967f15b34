"""The port of the prediction store, which keeps each id once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from hindsight.entities.prediction import Prediction, PredictionKey


class SaveOutcome(StrEnum):
    """The result of saving a prediction."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class SavedPrediction:
    """A prediction's outcome; ``kept`` is what the table holds under its id now.

    ``feedback_waits``: feedback came first and can be joined. ``is_erased``: it conflicts with the mark that an erasure
    left under its id, and ``kept`` is what was sent.
    """

    outcome: SaveOutcome
    kept: Prediction
    feedback_waits: bool = False
    is_erased: bool = False


DueAt = Callable[[Prediction], datetime | None]


def when_outcome_is_due(prediction: Prediction) -> datetime:
    """Compute when window closing looks at a prediction whose rules are not known."""
    return prediction.outcome_due_at


class PredictionStore(Protocol):
    """Predictions by model and id; the first body sent under an id stays."""

    def save(
        self, predictions: Sequence[Prediction], retention: timedelta, due_at: DueAt = when_outcome_is_due
    ) -> list[SavedPrediction]:
        """Store predictions, all durably, and report what became of each, in order. Ids must differ.

        ``due_at`` is when the clock alone first changes a prediction's label, None if it never does.
        Raises Unavailable if that could not be had in time; saving the same predictions again is safe.
        """


class EarlyFeedback(Protocol):
    """The port that joins the feedback that came before its prediction."""

    def rejoin(self, keys: Sequence[PredictionKey]) -> None:
        """Join what waits for these predictions; what is not joined now, window closing joins later."""
