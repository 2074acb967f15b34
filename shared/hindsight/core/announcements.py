"""The events that Hindsight publishes: on the stack's bus, in one envelope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hindsight.core.times import format_time

SOURCE = "hindsight"
ENVELOPE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One event: ``name`` is its detail type, ``correlation_id`` the same on everything that belongs together."""

    name: str
    correlation_id: str
    at: datetime
    data: Mapping[str, Any]

    def detail(self) -> dict[str, Any]:
        """Build the event's detail, in the envelope that the state machines use too."""
        metadata = {
            "version": ENVELOPE_VERSION,
            "correlation_id": self.correlation_id,
            "created_at": format_time(self.at),
        }
        return {"metadata": metadata, "data": dict(self.data)}


class Announcements(Protocol):
    """A bus that takes announcements."""

    def publish(self, announcements: Sequence[Announcement]) -> None:
        """Publish announcements; one may be delivered twice, never lost. Raises Unavailable."""
