"""Clients whose every call only waits: what a batch takes where each answer of AWS lasts as long as it may."""

import io
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

Answer = Callable[[str, bytes], Any]


class SleepingService:
    """A service that takes ``seconds`` for each call, and counts calls and how many waited at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.calls = 0
        self.most_at_once = 0
        self._waiting = 0
        self._lock = threading.Lock()

    @property
    def waited(self) -> float:
        """Compute how long the caller waited, where nothing but the service is slow."""
        return self.calls * self.seconds / max(1, self.most_at_once)

    def wait(self) -> None:
        """Take a call."""
        with self._lock:
            self.calls += 1
            self._waiting += 1
            self.most_at_once = max(self.most_at_once, self._waiting)
        time.sleep(self.seconds)
        with self._lock:
            self._waiting -= 1

    def client(self, service: str, answer: Answer = lambda _operation, _body: {}) -> Any:
        """Build a client of it; ``answer`` makes the bodies of answers."""

        def waited_for(operation: str, body: bytes) -> Any:
            self.wait()
            return answer(operation, body)

        return answered_by(service, waited_for)


def answered_by(service: str, answer: Answer) -> Any:
    """Build a real client whose requests are answered here: what botocore takes for a call is part of the figure."""
    client: Any = boto3.client(  # type: ignore[call-overload]
        service,
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106  # nosec
        config=Config(parameter_validation=False),
    )

    def respond(request: Any, **_: Any) -> AWSResponse:
        operation = request.headers.get("X-Amz-Target", b"").decode().rpartition(".")[2]
        body = json.dumps(answer(operation, request.body)).encode()
        if not operation:  # S3, whose answer to a put is in its headers
            headers: Any = {"ETag": '"e"'}
            return AWSResponse(request.url, 200, headers, _Body())
        headers = {"x-amz-crc32": str(zlib.crc32(body)), "Content-Type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, 200, headers, _Body(body))

    client.meta.events.register(f"before-send.{service}", respond)
    return client


class _Body(io.BytesIO):
    """The body of an answer, as urllib3 gives it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Read the whole body as one chunk."""
        yield self.read()
