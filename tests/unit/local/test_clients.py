"""The clients to copy, one suite for both languages, against a server whose failures are scripted."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from hindsight.ingestion.feedback_capture import MAX_FEEDBACK_BYTES
from hindsight.ingestion.prediction_log import MAX_PREDICTIONS_BYTES
from hindsight.validation.items import MAX_ITEMS

EXAMPLES = Path(__file__).parents[3] / "examples"
CUT = "half of an answer, and then a closed connection"
Answer = tuple[int, Any, dict[str, str]] | str
Client = Callable[..., Any]
DRIVERS = {
    "python": """
import json, sys
sys.path.insert(0, {examples!r})
from hindsight_client import CallRefused, Hindsight
request = json.load(sys.stdin)
try:
    print(json.dumps(getattr(Hindsight("a/b", patience=request["patience"]), request["method"])(request["items"])))
except (CallRefused, OSError) as error:
    print(json.dumps({{"raised": str(error), "status": getattr(error, "status", None)}}))
""",
    "javascript": """
const {{ Hindsight }} = await import({examples!r} + "/hindsight-client.mjs");
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const request = JSON.parse(Buffer.concat(chunks));
const client = new Hindsight("a/b", {{ patience: 1000 * request.patience }});
const raise = (e) => ({{ raised: e.message, status: e.status ?? null }});
const answer = await client[request.method](request.items).catch(raise);
console.log(JSON.stringify(answer));
""",
}
PROGRAMS = {"python": [sys.executable, "-c"], "javascript": ["node", "--input-type=module", "--eval"]}


@dataclass
class Service:
    """A server that answers as scripted, and else takes everything."""

    script: list[Answer] = field(default_factory=list)
    calls: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    url: str = ""

    @property
    def bodies(self) -> list[Any]:
        return [body for _, _, body in self.calls]

    def answer(self, body: dict[str, list[dict[str, Any]]]) -> Answer:
        if self.script:
            return self.script.pop(0)
        ((name, items),) = body.items()
        if name == "instances":
            return 200, {"predictions": [{"prediction_id": item["prediction_id"], "score": 0.5} for item in items]}, {}
        return (
            202,
            {"accepted": [item.get("feedback_id") or item["prediction_id"] for item in items], "rejected": []},
            {},
        )


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            service.calls.append((self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
            found = service.answer(service.bodies[-1])
            if isinstance(found, str):
                self.send_response(202)
                self.send_header("content-length", "1000")
                self.end_headers()
                self.wfile.write(b'{"accepted": [')
                self.close_connection = True
                return
            status, answer, headers = found
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode() if not isinstance(answer, bytes) else answer)

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}/v1/"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield service
    server.shutdown()
    server.server_close()


@pytest.fixture(
    params=[
        "python",
        pytest.param("javascript", marks=pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")),
    ]
)
def client(request: pytest.FixtureRequest, service: Service, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("API", service.url)
    monkeypatch.setenv("APP_KEY", "secret")
    driver = DRIVERS[request.param].format(examples=str(EXAMPLES))

    def call(method: str, items: list[dict[str, Any]], patience: float = 10) -> Any:
        asked = json.dumps({"method": method, "items": items, "patience": patience})
        ended = subprocess.run(
            [*PROGRAMS[request.param], driver], input=asked, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return call


def event(number: int, **more: Any) -> dict[str, Any]:
    return {"feedback_id": f"f-{number}", "prediction_id": f"p-{number}", "name": "churn", "value": 1, **more}


def error(code: str, *details: dict[str, str]) -> dict[str, Any]:
    return {"error": {"code": code, "message": f"it is {code}", "details": list(details)}}


def test_call_carries_the_key_and_the_model_in_one_piece(client: Client, service: Service) -> None:
    assert client("feedback", [event(1)]) == {"accepted": ["f-1"], "rejected": []}
    ((path, headers, body),) = service.calls
    assert path == "/v1/models/a%2Fb/feedback"
    assert (headers["x-api-key"], headers["content-type"]) == ("secret", "application/json")
    assert body == {"events": [event(1)]}


def test_failed_call_is_sent_again_with_the_same_ids(client: Client, service: Service) -> None:
    service.script = [(503, error("unavailable"), {}), CUT, (429, {"message": "Too Many"}, {}), (502, b"<html>", {})]
    predicted = client("predict", [{"features": {}}, {"prediction_id": "mine", "features": {}}])
    assert len(service.calls) == 5
    first, *again = service.bodies
    assert all(body == first for body in again)
    made, mine = (item["prediction_id"] for item in first["instances"])
    assert len(made) == 36
    assert [one["prediction_id"] for one in predicted] == [made, mine] == [made, "mine"]


def test_pause_is_as_long_as_the_server_asks(client: Client, service: Service) -> None:
    service.script = [(429, error("throttled"), {"retry-after": "1"})]
    began = time.monotonic()
    assert client("log", [{"features": {}, "prediction_id": "p"}])["accepted"] == ["p"]
    assert time.monotonic() - began >= 1


def test_call_that_keeps_failing_raises_once_patience_ends(client: Client, service: Service) -> None:
    service.script = [(503, error("unavailable"), {"retry-after": "60"})]
    raised = client("feedback", [event(1)])
    assert raised == {"raised": "503 unavailable: it is unavailable", "status": 503}
    assert len(service.calls) == 1


def test_server_that_is_not_there_raises_without_a_status(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API", "http://127.0.0.1:9")
    raised = client("feedback", [event(1)], patience=0)
    assert raised["raised"]
    assert raised["status"] is None


@pytest.mark.parametrize("status", [403, 413])
def test_refused_call_is_not_sent_again(client: Client, service: Service, status: int) -> None:
    service.script = [(status, error("refused"), {})]
    assert client("log", [{"features": {}}]) == {"raised": f"{status} refused: it is refused", "status": status}
    assert len(service.calls) == 1


def test_items_beyond_the_limit_go_in_calls_of_their_own(client: Client, service: Service) -> None:
    rejection = {"index": 1, "code": "invalid", "path": "events[1].value", "message": "is missing"}
    service.script = [(202, {"accepted": ["f-0"], "rejected": [rejection], "tokens": {"a": "1"}}, {})]
    service.script += [(202, {"accepted": ["f-500"], "rejected": [rejection], "tokens": {"b": "2"}}, {})]
    found = client("feedback", [event(number) for number in range(MAX_ITEMS + 2)])
    assert [len(body["events"]) for body in service.bodies] == [MAX_ITEMS, 2]
    assert found["accepted"] == ["f-0", "f-500"]
    assert [one["index"] for one in found["rejected"]] == [1, MAX_ITEMS + 1]
    assert found["tokens"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(("method", "most"), [("feedback", MAX_FEEDBACK_BYTES), ("log", MAX_PREDICTIONS_BYTES)])
def test_bytes_beyond_the_limit_go_in_calls_of_their_own(
    client: Client, service: Service, method: str, most: int
) -> None:
    client(method, [event(number, comment="é" * (most // 20)) for number in range(21)])
    assert len(service.calls) > 1
    assert all(int(headers["content-length"]) <= most for _, headers, _ in service.calls)
    (sent,) = {len(batch) for body in service.bodies[:-1] for batch in body.values()}
    whole = max(int(headers["content-length"]) for _, headers, _ in service.calls)
    assert whole + whole / sent > most, "another item would have fitted"


def test_batch_without_a_valid_item_is_rejected_not_raised(client: Client, service: Service) -> None:
    detail = {"path": "events[1].value", "message": "is missing"}
    service.script = [(400, error("invalid", detail, {"path": "", "message": "1 more"}), {})]
    found = client("feedback", [event(0), event(1)])
    assert found["accepted"] == []
    assert [(one["index"], one["code"]) for one in found["rejected"]] == [(0, "invalid"), (1, "invalid")]
    assert [one["message"] for one in found["rejected"]] == ["400 invalid: it is invalid", "is missing"]


def test_malformed_call_is_raised(client: Client, service: Service) -> None:
    service.script = [(400, error("invalid", {"path": "events", "message": "is required"}), {})]
    assert client("feedback", [event(0)])["status"] == 400


def test_invalid_instance_to_predict_is_raised(client: Client, service: Service) -> None:
    service.script = [(400, error("invalid", {"path": "instances[0].features", "message": "is required"}), {})]
    assert client("predict", [{}])["status"] == 400


def test_nothing_to_send_makes_no_call(client: Client, service: Service) -> None:
    assert client("feedback", []) == {"accepted": [], "rejected": []}
    assert client("predict", []) == []
    assert service.calls == []
