"""Feedback as it is kept: one event about one prediction."""

from dataclasses import dataclass
from datetime import datetime

from shared.capture.prediction import PredictionKey

FeedbackValue = bool | int | float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One feedback event: what happened, when it happened, and when we were told."""

    model: str
    prediction_id: str
    feedback_id: str
    name: str
    value: FeedbackValue
    occurred_at: datetime
    received_at: datetime
    source: str | None
    body_digest: str

    @property
    def key(self) -> PredictionKey:
        """The key of the prediction the event is about."""
        return PredictionKey(self.model, self.prediction_id)
