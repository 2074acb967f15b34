"""The demo of a model outside: its world, its server, its summary and its report."""

import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from skops.io import dump

from examples.outside import server as example
from examples.outside.train import fit
from hindsight.config.documents.strict_yaml import parse_yaml
from hindsight.config.parse import parse_configuration
from local.outside.demo import MODEL
from local.outside.servers import EXAMPLES
from local.outside.story import WINDOW, DemoRecord
from local.outside.summary import Evidence, summarise, write_report
from local.outside.world import EVENT, PAUSE, START, Delivery, chance, deliveries

MOVES: list[dict[str, Any]] = [
    {
        "change": change,
        "to": to,
        "challenger": challenger,
        "at": "2026-02-01T00:00:00Z",
        "actor": "p",
        "reason": "<why>",
    }
    for change, to, challenger in (
        ("promoted", "v1", None),
        ("shadow_started", "v1", "v2"),
        ("promoted", "v2", None),
        ("rollout_aborted", "v2", "v3"),
        ("promoted", "v4", None),
        ("rolled_back", "v2", None),
    )
]


def test_world_gives_every_customer_one_open_order_at_most() -> None:
    last: dict[str, Delivery] = {}
    for one in deliveries(days=30, drift_day=15, per_day=100):
        before = last.get(one.customer)
        assert before is None or one.occurred_at - before.occurred_at >= PAUSE > WINDOW
        assert one.occurred_at < one.reported_at < one.occurred_at + WINDOW
        last[one.customer] = one


def test_world_is_the_same_each_time() -> None:
    assert list(deliveries(3, 2, 20)) == list(deliveries(3, 2, 20))


def test_rule_of_before_the_drift_is_nearly_worthless_after_it() -> None:
    right: dict[bool, list[bool]] = {False: [], True: []}
    for one in deliveries(days=40, drift_day=20, per_day=100):
        guess = chance(one.features, has_drifted=False) >= 0.5
        right[one.occurred_at >= START + timedelta(days=20)].append(guess == one.is_late)
    before, after = (sum(found) / len(found) for found in (right[False], right[True]))
    assert before > 0.86
    assert after < 0.6


def test_configuration_of_the_example_is_that_of_the_world() -> None:
    found = parse_configuration({"model": MODEL, **parse_yaml((EXAMPLES / "configuration.yaml").read_text())})
    (first,) = deliveries(1, 1, 1)
    assert set(found.features) == set(first.features)
    (rule,) = found.labels.rules
    assert (rule.event, rule.window) == (EVENT, WINDOW)


def test_summary_counts_moves_after_the_first_and_labels_that_differ() -> None:
    asked = list(deliveries(2, 1, 30))
    record = DemoRecord(asked=asked, complaints={one.prediction_id for one in asked if one.is_late})
    record.labels = {one.prediction_id: int(one.is_late) for one in asked[1:]}
    summary = summarise(record, Evidence(MOVES, [], {"1": 0.9, "2": 0.8}, {"1": 0.9, "2": 0.5}))
    late = sum(one.is_late for one in asked[1:])
    assert summary == {
        "live_mean": pytest.approx(0.85),
        "static_mean": pytest.approx(0.7),
        "promotions": 2,
        "aborted": 1,
        "rolled_back": 1,
        "labels_by_entity": late,
        "lost": 1,
    }


def test_report_shows_every_move_as_text(tmp_path: Path) -> None:
    evidence = Evidence(MOVES, [], {"1": 0.9}, {"1": 0.9})
    page = write_report(tmp_path, summarise(DemoRecord(), evidence), evidence).read_text()
    assert page.count("&lt;why&gt;") == len(MOVES)
    assert "rollout_aborted" in page


class Hindsight:
    """A stand-in for Hindsight: it says who serves, and keeps the predictions it gets."""

    def __init__(self) -> None:
        self.serving: dict[str, Any] | None = None
        self.asked: list[str] = []
        self.logged: list[dict[str, Any]] = []
        self.failures = 0

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if self.failures:
            self.failures -= 1
            return 503, {}
        if method == "POST":
            self.logged += body["predictions"]
            return 202, {"accepted": [one["prediction_id"] for one in body["predictions"]], "rejected": []}
        self.asked.append(path.rpartition("/")[2])
        if self.serving is None:
            return 409, {}
        return 200, self.serving | ({"answer": "v2"} if "entity_id=b%20" in path else {"answer": "v1"})


@pytest.fixture
def hindsight(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hindsight]:
    found = Hindsight()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, answer = found.answer(self.command, self.path, json.loads(content) if content else None)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    for name, value in {"API": f"http://127.0.0.1:{http.server_address[1]}/v1", "MODEL": "m", "APP_KEY": "k"}.items():
        monkeypatch.setitem(os.environ, name, value)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    yield found
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def outside(tmp_path: Path) -> example.Server:
    for version, right in (("v1", 0), ("v2", 1)):
        dump(fit([{"x": 0.0}, {"x": 1.0}] * 5, [1 - right, right] * 5), tmp_path / f"{version}.skops")
    return example.Server(tmp_path)


ASKED = [{"prediction_id": name, "entity_id": f"{name} 1", "features": {"x": 1.0}} for name in ("a", "b")]


def test_server_answers_by_its_first_version_until_hindsight_knows_one(
    hindsight: Hindsight, outside: example.Server
) -> None:
    assert [one["model_version"] for one in outside.decide(ASKED)] == ["v1", "v1"]
    assert [one["decision"] for one in hindsight.logged] == [0, 0]


def test_server_logs_the_answer_of_a_shadow_beside_its_own(hindsight: Hindsight, outside: example.Server) -> None:
    hindsight.serving = {"champion": {"version": "v1"}, "rollout": {"version": "v2", "mode": "shadow", "share": None}}
    outside.decide(ASKED)
    assert [(one["decision"], one["shadow"]["version"], one["shadow"]["decision"]) for one in hindsight.logged] == [
        (0, "v2", 1)
    ] * 2


def test_server_asks_for_each_entity_in_a_canary(hindsight: Hindsight, outside: example.Server) -> None:
    hindsight.serving = {"champion": {"version": "v1"}, "rollout": {"version": "v2", "mode": "canary", "share": 0.5}}
    assert [one["model_version"] for one in outside.decide(ASKED)] == ["v1", "v2"]
    assert hindsight.asked == ["serving", "serving?entity_id=a%201", "serving?entity_id=b%201"]


def test_server_tries_again_where_hindsight_is_away(hindsight: Hindsight, outside: example.Server) -> None:
    hindsight.failures = 3
    assert len(outside.decide(ASKED)) == len(hindsight.logged) == 2
