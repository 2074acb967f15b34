"""The status of a signal: whether it asks for a retraining run, why, and the numbers behind it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from hindsight.core.codec import Record


class SignalRole(StrEnum):
    """The role of a signal in a decision."""

    COUNTED = "counted"  # by ``triggers.combine``
    SUFFICIENT = "sufficient"  # alone, with every combination
    IMPOSSIBLE = "impossible"  # cannot arise yet, so that no combination may wait for it
    NOT_CONFIGURED = "not_configured"


class SignalStatus(Record):
    """One kind of signal as an evaluation found it; ``since`` is when an active one arose."""

    kind: str
    active: bool
    reason: str
    details: dict[str, Any]
    role: SignalRole
    since: datetime | None = None
