"""A queue of work."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQueue:
    """The sender of messages to one SQS queue."""

    def __init__(self, url: str, client: "SQSClient") -> None:
        self._url = url
        self._client = client

    def send(self, body: str, delay_seconds: int = 0) -> None:
        """Send a message that no consumer gets before the delay is over."""
        self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_seconds)
