"""Feedback on its way to the lake: a Firehose stream."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from hindsight.adapters.dynamodb.requests import pause_seconds
from hindsight.core.batches import batches
from hindsight.core.errors import Unavailable
from hindsight.core.retry import send_all

if TYPE_CHECKING:
    from mypy_boto3_firehose import FirehoseClient
    from mypy_boto3_firehose.type_defs import RecordTypeDef

MAX_RECORD_BYTES = 1000 * 1024
MAX_BATCH_BYTES = 4 * 1024 * 1024
MAX_BATCH_RECORDS = 500
MAX_ATTEMPTS = 6
# Beyond the stream's quota Firehose refuses single records, or the call as a whole.
_BUSY = frozenset({"ServiceUnavailableException", "ThrottlingException", "LimitExceededException"})


class FirehoseFeedback:
    """A Firehose stream of lines; see ``hindsight.ingestion.feedback_capture.FeedbackStream``.

    Firehose bills each record as at least 5 KB, so that many lines share one record.
    """

    def __init__(self, stream: str, client: "FirehoseClient", sleep: Callable[[float], None] = time.sleep) -> None:
        self._stream = stream
        self._client = client
        self._sleep = sleep

    def append(self, lines: Sequence[bytes]) -> None:
        """Append every line to the stream. Raises Unavailable if Firehose keeps refusing some."""
        records = map(b"".join, batches(lines, len, room=MAX_RECORD_BYTES))
        for batch in batches(records, len, room=MAX_BATCH_BYTES, most=MAX_BATCH_RECORDS):
            send_all(
                self._put,
                batch,
                otherwise=Unavailable("the stream to the lake is too busy; send the same call again"),
                pause=lambda attempt: self._sleep(pause_seconds(attempt + 1)),
                max_attempts=MAX_ATTEMPTS,
            )

    def _put(self, records: list[bytes]) -> list[bytes]:
        """Send records and list those that Firehose refused."""
        entries: list[RecordTypeDef] = [{"Data": record} for record in records]
        try:
            answer = self._client.put_record_batch(DeliveryStreamName=self._stream, Records=entries)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _BUSY:
                raise
            return records
        if not answer["FailedPutCount"]:
            return []
        outcomes = zip(records, answer["RequestResponses"], strict=True)
        return [record for record, outcome in outcomes if "ErrorCode" in outcome]
