"""S3 notifications, as a queue passes them on."""

from typing import Any
from urllib.parse import unquote_plus

from shared import compact_json
from shared.capture.import_files import Upload
from shared.times import parse_time


def object_keys(body: str) -> list[str]:
    """Return the keys of the objects a notification tells of; none for the test event of a new bucket.

    >>> object_keys('{"Records": [{"s3": {"object": {"key": "feedback/date%3D2026-03-01/a+b"}}}]}')
    ['feedback/date=2026-03-01/a b']
    """
    notification: dict[str, Any] = compact_json.loads(body)
    return [unquote_plus(record["s3"]["object"]["key"]) for record in notification.get("Records", [])]


def uploads(body: str) -> list[Upload]:
    """Return the uploads a notification tells of; none for the test event of a new bucket.

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
