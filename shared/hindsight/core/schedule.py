"""Scheduled work on models: its moment, and the models it is for."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The models an event is for: one, or a share of its work; those behind one in the order of their names; or all."""

    model: str | None = None
    after: str = ""
    share: int | None = None


@dataclass(frozen=True, slots=True)
class ScheduledEvent:
    """One scheduled event for one model, or for a share of its work."""

    now: datetime
    event_id: str
    model: str
    share: int | None = None
