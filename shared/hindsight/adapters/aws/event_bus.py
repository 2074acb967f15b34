"""Announcements on an EventBridge bus."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from hindsight.adapters.dynamodb.requests import pause_seconds
from hindsight.core import compact_json
from hindsight.core.announcements import SOURCE, Announcement
from hindsight.core.batches import chunks
from hindsight.core.errors import Unavailable
from hindsight.core.retry import send_all

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_MAX_ENTRIES = 10
MAX_ATTEMPTS = 6
# Beyond the account's quota EventBridge refuses single entries, or the call as a whole.
_BUSY = frozenset({"InternalException", "ThrottlingException"})


class EventBridgeAnnouncements:
    """The announcements on one bus; implements ``hindsight.core.announcements.Announcements``."""

    def __init__(self, bus: str, client: "EventBridgeClient", sleep: Callable[[float], None] = time.sleep) -> None:
        self._bus = bus
        self._client = client
        self._sleep = sleep

    def publish(self, announcements: Sequence[Announcement]) -> None:
        """Put all announcements on the bus, refused ones again. Raises Unavailable if it keeps refusing."""
        for chunk in chunks(announcements, _MAX_ENTRIES):
            send_all(
                self._put,
                [self._entry(announcement) for announcement in chunk],
                otherwise=Unavailable(f"the bus {self._bus!r} did not take all announcements"),
                pause=lambda attempt: self._sleep(pause_seconds(attempt)),
                max_attempts=MAX_ATTEMPTS,
            )

    def _put(self, entries: list["PutEventsRequestEntryTypeDef"]) -> list["PutEventsRequestEntryTypeDef"]:
        """Put entries on the bus and list those it refused."""
        try:
            answer = self._client.put_events(Entries=entries)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _BUSY:
                raise
            return entries
        if not answer["FailedEntryCount"]:
            return []
        results = zip(entries, answer["Entries"], strict=True)
        return [entry for entry, result in results if result.get("ErrorCode")]

    def _entry(self, announcement: Announcement) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": announcement.name,
            "Detail": compact_json.dumps(announcement.detail()),
        }
