"""A proxy before the embedded AWS that makes calls fail as they fail on a bad day.

The functions reach it through their environment alone (``AWS_ENDPOINT_URL``): their code knows nothing of faults, and
what fails is what botocore meets on a wire.
"""

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, NamedTuple
from urllib.parse import urlsplit

from bench.chaos.faults import APP, THROTTLES, Call, Fault, Faults
from bench.chaos.partial import dumps, split

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "expect"}
_PATIENCE_SECONDS = 120


class Answer(NamedTuple):
    """The response to a caller."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@contextmanager
def running_proxy(upstream: str, faults: Faults) -> Iterator[str]:
    """Run a proxy before an address for the length of a with block; yield the proxy's own address."""
    target = urlsplit(upstream)

    class Handler(_Handler):
        address = (target.hostname or "127.0.0.1", target.port or 80)
        drawn_from = faults

    with serving(Handler) as address:
        yield address


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve HTTP on loopback for the length of a with block; yield the server's address."""
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def call_of(headers: Mapping[str, str], method: str) -> Call:
    """Identify a call by its request's headers; a call without a signature is an app's.

    >>> signed = "AWS4-HMAC-SHA256 Credential=AKIA/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host"
    >>> call_of({"Authorization": signed, "X-Amz-Target": "DynamoDB_20120810.PutItem"}, "POST")
    Call(service='dynamodb', operation='PutItem')
    >>> call_of({"x-api-key": "k"}, "POST")
    Call(service='app', operation='POST')
    """
    scope = headers.get("Authorization", "").partition("Credential=")[2].split(",")[0].split("/")
    service = scope[3] if len(scope) > 4 else APP
    return Call(service, headers.get("X-Amz-Target", "").rpartition(".")[2] or method)


def refusal(call: Call, fault: Fault) -> Answer:
    """Build the response of a service that throttles, or fails."""
    if fault is Fault.THROTTLED:
        if call.service == "s3":
            return _xml(503, "SlowDown")
        status, code = THROTTLES.get(call.service, (429, "TooManyRequestsException"))
        if call.operation == "TransactWriteItems":
            return _json(
                400, "TransactionCanceledException", {"CancellationReasons": [{"Code": "TransactionConflict"}]}
            )
        return _json(status, code, {})
    return _xml(500, "InternalError") if call.service == "s3" else _json(500, "InternalServerError", {})


def _json(status: int, code: str, more: Mapping[str, object]) -> Answer:
    body = {"__type": code, "message": "one of the faults of a bad day", **more}
    headers = [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-ErrorType", code)]
    return Answer(status, headers, json.dumps(body).encode())


def _xml(status: int, code: str) -> Answer:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>one of the faults of a bad day</Message></Error>"
    return Answer(status, [("Content-Type", "application/xml")], body.encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Ignore callers that hang up: a proxy like this one makes them do so."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    address: ClassVar[tuple[str, int]]
    drawn_from: ClassVar[Faults]

    def answer(self) -> None:
        body = self._read()
        call = call_of(dict(self.headers), self.command)
        fault = self.drawn_from.draw(call)
        if fault is Fault.CUT_OFF:
            self._cut()
        elif fault is Fault.LOST:
            self._pass_on(body)
            self._cut()
        elif fault is Fault.PARTIAL:
            self._say(self._in_part(call, body))
        elif fault is not None:
            self._say(refusal(call, fault))
        elif (answered := self._pass_on(body)) is None:
            self._cut()
        else:
            self._say(answered)

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The methods of HTTP are all the same to a proxy.
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def _in_part(self, call: Call, body: bytes) -> Answer:
        passed_on, whole = split(call.operation, json.loads(body), self.drawn_from.part)
        if passed_on is None:
            return Answer(200, [("Content-Type", "application/x-amz-json-1.0")], dumps(whole({})))
        given = self._pass_on(dumps(passed_on))
        if given is None or given.status != 200:
            return given or refusal(call, Fault.FAILED)
        kept = [(name, value) for name, value in given.headers if name.lower() != "x-amz-crc32"]
        return Answer(200, kept, dumps(whole(json.loads(given.body))))

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _pass_on(self, body: bytes) -> Answer | None:
        """Forward a request to the embedded AWS; None without a response."""
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        connection = http.client.HTTPConnection(*self.address, timeout=_PATIENCE_SECONDS)
        try:
            host = {"Host": self.headers.get("Host", "")}
            connection.request(self.command, self.path, body, {**headers, **host, "Content-Length": str(len(body))})
            answered = connection.getresponse()
            return Answer(answered.status, answered.getheaders(), answered.read())
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _say(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        # A HEAD states the length of its object, and brings no body.
        length = {name.lower(): value for name, value in answer.headers}.get("content-length")
        is_head = self.command == "HEAD"
        self.send_header("Content-Length", length if is_head and length else str(len(answer.body)))
        self.end_headers()
        if not is_head:
            self.wfile.write(answer.body)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Write no log: failures are counted."""
