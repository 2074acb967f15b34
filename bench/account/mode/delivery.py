"""Firehose that buffers by size and time, compresses, and takes no more than a stream's quota a second."""

import base64
import contextvars
import gzip
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import firehose

from bench.account.mode.settings import MIB, Mode
from local.forked.patching import replace, require

SLOW_DOWN = "Slow down."
_LOOK_SECONDS = 0.2
# AWS buffers for five minutes or five megabytes by default.
_INTERVAL_SECONDS, _MEGABYTES = 300, 5


def install(mode: Mode) -> None:
    """Put the quota before the emulator's streams and the buffers behind them."""
    require(firehose, "_deliver_to_s3", "_HANDLERS")
    buffers = Buffers(mode.pace)
    quotas: dict[str, Quota] = {}

    def quota(stream: str) -> Quota:
        return quotas.setdefault(
            stream, Quota(float(mode.firehose_bytes_per_second), float(mode.firehose_requests_per_second))
        )

    replace(firehose, "_deliver_records_to_s3", "stream dest records", lambda _: buffers.add)
    replace(firehose._HANDLERS, "PutRecord", "data", lambda original: _one(original, quota))
    replace(firehose._HANDLERS, "PutRecordBatch", "data", lambda original: _many(original, quota))


@dataclass
class Quota:
    """The quota of a stream a second: bytes and calls, each saved up for one second at most."""

    bytes_a_second: float
    calls_a_second: float
    _bytes: float = field(init=False)
    _calls: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._bytes, self._calls, self._at = self.bytes_a_second, self.calls_a_second, time.monotonic()
        self._lock = threading.Lock()

    def take(self, sizes: list[int]) -> list[bool]:
        """Select the records of one call that the quota takes."""
        with self._lock:
            now = time.monotonic()
            passed, self._at = now - self._at, now
            self._bytes = min(self.bytes_a_second, self._bytes + passed * self.bytes_a_second)
            self._calls = min(self.calls_a_second, self._calls + passed * self.calls_a_second)
            if self._calls < 1:
                return [False] * len(sizes)
            self._calls -= 1
            taken = []
            for size in sizes:
                taken.append(size <= self._bytes)
                self._bytes -= size * taken[-1]
            return taken


class Buffers:
    """The buffers of streams, and the thread that delivers them."""

    def __init__(self, pace: float) -> None:
        self._pace = pace
        self._held: dict[str, Buffer] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._run, daemon=True, name="account-firehose").start()

    def add(self, stream: dict[str, Any], dest: dict[str, Any], records: list[tuple[str, bytes]]) -> None:
        """Take records of a stream for its destination."""
        with self._lock:
            buffer = self._held.setdefault(stream["name"], Buffer(stream, dest, contextvars.copy_context()))
            buffer.content.extend(record for _, record in records)

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._lock:
                due = [name for name, buffer in self._held.items() if buffer.is_due(self._pace)]
                buffers = [self._held.pop(name) for name in due]
            for buffer in buffers:
                buffer.deliver()


@dataclass
class Buffer:
    """The content of one object to come."""

    stream: dict[str, Any]
    destination: dict[str, Any]
    context: contextvars.Context
    content: list[bytes] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def is_due(self, pace: float) -> bool:
        """Check whether the buffer is as large or as old as the stream allows."""
        hints = self.destination["config"].get("BufferingHints") or {}
        seconds = float(hints.get("IntervalInSeconds", _INTERVAL_SECONDS)) * pace
        is_full = sum(map(len, self.content)) >= float(hints.get("SizeInMBs", _MEGABYTES)) * MIB
        return is_full or time.monotonic() - self.began >= seconds

    def deliver(self) -> None:
        """Write the object, compressed if the stream says so."""
        body, config = b"".join(self.content), self.destination["config"]
        if config.get("CompressionFormat") == "GZIP":
            body, config = gzip.compress(body, 1), {**config, "FileExtension": config.get("FileExtension") or ".gz"}
        self.context.run(firehose._deliver_to_s3, self.stream, {**self.destination, "config": config}, body)


def _one(original: Any, quota: Any) -> Any:
    def put(data: dict[str, Any]) -> Any:
        if quota(data.get("DeliveryStreamName", "")).take([_size(data.get("Record", {}))]) == [False]:
            return _refused()
        return original(data)

    return put


def _many(original: Any, quota: Any) -> Any:
    def put(data: dict[str, Any]) -> Any:
        records = data.get("Records", [])
        taken = quota(data.get("DeliveryStreamName", "")).take([_size(record) for record in records])
        if records and not any(taken):
            return _refused()
        if all(taken):
            return original(data)
        kept = [record for record, is_taken in zip(records, taken, strict=True) if is_taken]
        return _in_part(original({**data, "Records": kept}), taken)

    return put


def _in_part(answered: Any, taken: list[bool]) -> Any:
    """Build the response that lists the records of a call that were taken."""
    status, headers, body = answered
    if status != 200:
        return answered
    answer = json.loads(body)
    of_the_taken = iter(answer["RequestResponses"])
    refused = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": SLOW_DOWN}
    answer["RequestResponses"] = [next(of_the_taken) if is_taken else refused for is_taken in taken]
    answer["FailedPutCount"] += taken.count(False)
    kept = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    return status, kept, json.dumps(answer).encode()


def _refused() -> Any:
    return error_response_json("ServiceUnavailableException", SLOW_DOWN, 503)


def _size(record: dict[str, Any]) -> int:
    """Measure a record: what is on the wire in base64 counts as it is."""
    return len(base64.b64decode(record.get("Data", "")))
