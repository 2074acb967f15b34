"""S3 notifications, as a queue passes them on."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from hindsight.core import compact_json
from hindsight.core.errors import HindsightError
from hindsight.core.times import parse_time
from hindsight.ingestion.import_files import Upload


def object_keys(body: str) -> list[str]:
    """List the keys of the objects in a notification; none for the test event of a new bucket.

    >>> object_keys('{"Records": [{"s3": {"object": {"key": "feedback/date%3D2026-03-01/a+b"}}}]}')
    ['feedback/date=2026-03-01/a b']
    """
    notification: dict[str, Any] = compact_json.loads(body)
    return [unquote_plus(record["s3"]["object"]["key"]) for record in notification.get("Records", [])]


def uploads(body: str) -> list[Upload]:
    """List the uploads in a notification; none for the test event of a new bucket.

    The sequencer is another for each upload under a key, and the same when its notification is delivered again.
    """
    notification: dict[str, Any] = compact_json.loads(body)
    return [
        Upload(
            key=unquote_plus(record["s3"]["object"]["key"]),
            version=record["s3"]["object"].get("sequencer", ""),
            at=parse_time(record["eventTime"]),
        )
        for record in notification.get("Records", [])
    ]


@dataclass(frozen=True, slots=True)
class Messages:
    """A batch of messages: the objects of each, by its id; and the unreadable messages."""

    keys_by_id: dict[str, list[str]]
    unreadable: list[str]

    @property
    def keys(self) -> set[str]:
        """The objects of all messages."""
        return {key for keys in self.keys_by_id.values() for key in keys}

    def failures(self, failed: Collection[str]) -> dict[str, list[dict[str, str]]]:
        """Build the response that has the messages of failed objects delivered again, and the unreadable ones."""
        again = [name for name, keys in self.keys_by_id.items() if any(key in failed for key in keys)]
        return {"batchItemFailures": [{"itemIdentifier": name} for name in (*self.unreadable, *again)]}


def read_messages(records: Iterable[Mapping[str, Any]]) -> Messages:
    """Parse a batch of a queue's messages."""
    messages = Messages({}, [])
    for record in records:
        try:
            messages.keys_by_id[record["messageId"]] = object_keys(record["body"])
        except (HindsightError, KeyError, TypeError, AttributeError):
            messages.unreadable.append(record["messageId"])
    return messages
