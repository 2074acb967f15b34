"""A prediction with everything known of its outcome: its head, its feedback, its labels."""

from datetime import datetime

from msgspec import Struct

from hindsight.entities.feedback import Feedback
from hindsight.entities.label import LabelRecord
from hindsight.entities.prediction import PredictionKey


class PredictionTimes(Struct, frozen=True, gc=False):
    """The times of a prediction on which its label depends."""

    occurred_at: datetime
    received_at: datetime
    outcome_due_at: datetime


class Head(Struct, frozen=True, kw_only=True, gc=False):
    """The state of the join of one prediction; ``prediction`` is None while its feedback is pending.

    ``revision`` counts the joins. ``resolved_as_of`` is how far the label has followed the clock, ``due_at`` when the
    clock alone will next change it (of pending feedback: the match timeout), ``expires_at`` (epoch seconds) when it may
    be deleted. ``rejoin`` says that the prediction came after its feedback, which is not joined yet; ``is_erased`` that
    it was erased with all that belonged to it, and takes no feedback any more; ``entity_id`` whom the prediction is
    about, if its app names it.
    """

    key: PredictionKey
    prediction: PredictionTimes | None
    revision: int
    feedback_count: int
    label_seq: int = 0
    resolved_as_of: datetime | None = None
    due_at: datetime | None = None
    expires_at: int
    rejoin: bool = False
    is_erased: bool = False
    entity_id: str | None = None


class Collection(Struct, frozen=True, kw_only=True, gc=False):
    """The item collection of one prediction; ``head`` is None where there is nothing."""

    key: PredictionKey
    head: Head | None
    feedback: tuple[Feedback, ...] = ()
    labels: tuple[LabelRecord, ...] = ()
