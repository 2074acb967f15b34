"""Feedback as it is kept: one event about a prediction, an entity or a reference."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct

from hindsight.config.labels import MAX_VALUE_TEXT, MatchBy
from hindsight.config.types import IDENTIFIER, MAX_NUMBER, MODEL_NAME
from hindsight.core.codec import Record
from hindsight.core.compact_json import MAX_INTEGER
from hindsight.entities.prediction import PredictionKey

# Ids that only resolved reviews carry: an app that took one first would keep the reviewers' answer out.
REVIEW_IDS = "review:"
MAX_NAME = 64

FOR_EVER = datetime.max.replace(tzinfo=UTC)
"""The end of what has no end, in ``Feedback.given_until``."""

# Before Python 3.12 the class looks its members up slowly.
_PREDICTION, _ENTITY, _REFERENCE = MatchBy

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


class MatchKey(Struct, frozen=True, order=True, gc=False):
    """The key that an event and some predictions share: an entity or a reference of a model."""

    model: str
    by: MatchBy
    value: str


class Feedback(Record, frozen=True, kw_only=True, gc=False):
    """One feedback event: what happened, when it happened, and when it was received.

    It names a prediction, an entity or a reference, one of the three. Kept with a prediction, one by entity or
    reference says in ``given_until``, by the name of each way in which rules match it, until when it is this
    prediction's: then a prediction was received that it belongs to instead.

    The constraints are those of a line of the raw feedback files, which is decoded straight into it. It is part of no
    cycle, so that the garbage collector need not follow millions of them.
    """

    model: _Model
    prediction_id: _Identifier | None = None
    entity_id: _Identifier | None = None
    reference: _Identifier | None = None
    feedback_id: _Identifier
    name: _Name
    value: _Value = None
    occurred_at: _Moment
    received_at: _Moment
    source: _Name | None = None
    body_digest: _Name
    given_until: Mapping[str, datetime] = {}

    @property
    def by(self) -> MatchBy:
        """The kind of key that the event names."""
        if self.prediction_id is not None:
            return _PREDICTION
        return _ENTITY if self.entity_id is not None else _REFERENCE

    @property
    def key(self) -> PredictionKey:
        """The key of the prediction that the event names, for one that names a prediction."""
        return PredictionKey(self.model, self.prediction_id or "")

    @property
    def match_key(self) -> MatchKey:
        """The key that the event shares with predictions, for one that names no prediction."""
        if self.entity_id is not None:
            return MatchKey(self.model, _ENTITY, self.entity_id)
        return MatchKey(self.model, _REFERENCE, self.reference or "")

    @property
    def names_one_key(self) -> bool:
        """True if it names a prediction, an entity or a reference, and no two of them."""
        return (self.prediction_id is None) + (self.entity_id is None) + (self.reference is None) == 2
