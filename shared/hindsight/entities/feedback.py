"""Feedback as it is kept: one event about one prediction."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from hindsight.config.labels import MAX_VALUE_TEXT
from hindsight.config.types import IDENTIFIER, MAX_NUMBER, MODEL_NAME
from hindsight.core.codec import Record
from hindsight.core.compact_json import MAX_INTEGER
from hindsight.entities.prediction import PredictionKey

# Ids that only resolved reviews carry: an app that took one first would keep the reviewers' answer out.
REVIEW_IDS = "review:"
MAX_NAME = 64

FeedbackValue = bool | int | float | str | None


def _whole(pattern: str) -> str:
    """Build a pattern whose end is the text's: in Python ``$`` also stands before a last line break."""
    return pattern.removesuffix("$") + r"\Z"


_Identifier = Annotated[str, Meta(pattern=_whole(IDENTIFIER))]
_Model = Annotated[str, Meta(pattern=_whole(MODEL_NAME))]
_Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
_Moment = Annotated[datetime, Meta(tz=True)]
_Value = (
    bool
    | Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
    | Annotated[float, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)]
    | Annotated[str, Meta(max_length=MAX_VALUE_TEXT)]
    | None
)


class Feedback(Record, frozen=True, kw_only=True):
    """One feedback event: what happened, when it happened, and when it was received.

    The constraints are those of a line of the raw feedback files, which is decoded straight into it.
    """

    model: _Model
    prediction_id: _Identifier
    feedback_id: _Identifier
    name: _Name
    value: _Value = None
    occurred_at: _Moment
    received_at: _Moment
    source: _Name | None = None
    body_digest: _Name

    @property
    def key(self) -> PredictionKey:
        """The key of the prediction the event is about."""
        return PredictionKey(self.model, self.prediction_id)
