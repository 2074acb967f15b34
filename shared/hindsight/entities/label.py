"""A label, and the record of its becoming one."""

from datetime import datetime
from enum import StrEnum

from hindsight.config.labels import LabelValue
from hindsight.core.codec import Record


class LabelStatus(StrEnum):
    """The degree to which a label is final."""

    PENDING = "pending"
    PROVISIONAL = "provisional"
    FINAL = "final"
    CENSORED = "censored"


class Label(Record, frozen=True, kw_only=True):
    """The outcome of a prediction as far as it is known; ``value`` is None while pending and when censored.

    ``kind`` is manual, outcome, explicit, action or default; ``event`` the feedback's name behind it.
    ``disagreeing`` names the events of lower rules that disagree.
    """

    value: LabelValue | None = None
    status: LabelStatus
    kind: str | None = None
    event: str | None = None
    disagreeing: tuple[str, ...] = ()


class LabelRecord(Record, frozen=True, kw_only=True, gc=False):
    """One change in a prediction's label history; ``known_at`` is when Hindsight had what it rests on.

    ``is_new`` marks a value that the history has not had before.
    """

    seq: int
    label: Label
    rules_revision: int
    known_at: datetime
    is_new: bool = False
