"""Announcements on an EventBridge bus."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hindsight.adapters.dynamodb.requests import chunks, pause_seconds
from hindsight.core import compact_json
from hindsight.core.announcements import SOURCE, Announcement
from hindsight.core.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_MAX_ENTRIES = 10
_ATTEMPTS = 6


class EventBridgeAnnouncements:
    """One bus; see ``hindsight.core.announcements.Announcements``."""

    def __init__(self, bus: str, client: "EventBridgeClient", sleep: Callable[[float], None] = time.sleep) -> None:
        self._bus = bus
        self._client = client
        self._sleep = sleep

    def publish(self, announcements: Sequence[Announcement]) -> None:
        """Put all announcements on the bus, those it did not take again. Raises Unavailable if it keeps refusing."""
        for chunk in chunks(announcements, _MAX_ENTRIES):
            self._put([self._entry(announcement) for announcement in chunk])

    def _put(self, entries: list["PutEventsRequestEntryTypeDef"]) -> None:
        for attempt in range(_ATTEMPTS):
            answer = self._client.put_events(Entries=entries)
            if not answer["FailedEntryCount"]:
                return
            # The call answers 200 whatever became of its entries.
            results = zip(entries, answer["Entries"], strict=True)
            entries = [entry for entry, result in results if result.get("ErrorCode")]
            self._sleep(pause_seconds(attempt))
        raise Unavailable(f"the bus {self._bus!r} did not take {len(entries)} announcements")

    def _entry(self, announcement: Announcement) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": announcement.name,
            "Detail": compact_json.dumps(announcement.detail()),
        }
