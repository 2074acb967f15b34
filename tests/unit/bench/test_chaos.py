"""The faults of a bad day really happen, as many as are asked for, and the truth they are held against is true."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from bench.chaos.faults import Call, Fault, Faults
from bench.chaos.partial import split
from bench.chaos.proxy import running_proxy, serving
from bench.chaos.reconcile import Account, Reality, _count_labels, _count_quarantine
from bench.chaos.traffic import END, OTHER, Traffic, configuration
from hindsight.config.parse import parse_configuration
from hindsight.config.store import ConfigurationRevision
from hindsight.core.errors import InvalidInput
from hindsight.core.times import parse_time
from hindsight.ingestion.feedback_capture import FeedbackReader
from hindsight.labels.resolve import resolve
from hindsight.labels.rules import rules_of
from hindsight.validation.timestamps import ClientTimestamps
from tests.unit.labels.builders import prediction

HALF = [True, False, True, False]


class Upstream:
    """An AWS that answers everything with what it was sent, and remembers it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes]] = []

    @contextmanager
    def running(self) -> Iterator[str]:
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                seen.append((self.headers.get("X-Amz-Target", ""), body))
                answer = json.dumps({"RequestResponses": [{"RecordId": "r"} for _ in json.loads(body)["Records"]]})
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: object) -> None:
                pass

        with serving(Handler) as address:
            yield address


class Always(Faults):
    """Faults that are always the same, or always none."""

    def __init__(self, fault: Fault | None) -> None:
        super().__init__(seed=1, share=0)
        self._fault = fault

    def _drawn(self, call: Call) -> Fault | None:
        return self._fault


def put_records(address: str, count: int = 4) -> dict[str, Any]:
    client = boto3.client(
        "firehose",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )
    records = [{"Data": f"{number}\n".encode()} for number in range(count)]
    answer: dict[str, Any] = client.put_record_batch(DeliveryStreamName="s", Records=records)
    return answer


@pytest.mark.parametrize(
    ("fault", "raised", "arrives"),
    [
        (Fault.THROTTLED, ClientError, False),
        (Fault.FAILED, ClientError, False),
        (Fault.OUTAGE, ClientError, False),
        (Fault.CUT_OFF, ConnectionClosedError, False),
        (Fault.LOST, ConnectionClosedError, True),
    ],
)
def test_each_fault_reaches_its_caller_as_botocore_knows_it(
    fault: Fault, raised: type[Exception], arrives: bool
) -> None:
    upstream, faults = Upstream(), Always(fault)
    with (
        upstream.running() as address,
        running_proxy(address, faults) as proxy,
        pytest.raises((raised, HTTPClientError)),
    ):
        put_records(proxy)
    assert (len(upstream.seen) == 1) is arrives
    assert faults.by_kind() == {fault.value: 1}


def test_partial_failure_of_a_batch_names_its_items() -> None:
    upstream, faults = Upstream(), Always(Fault.PARTIAL)
    with upstream.running() as address, running_proxy(address, faults) as proxy:
        answer = put_records(proxy, 8)
    done = ["ErrorCode" not in one for one in answer["RequestResponses"]]
    assert answer["FailedPutCount"] == done.count(False) > 0
    passed_on = [len(json.loads(body)["Records"]) for _, body in upstream.seen]
    assert sum(passed_on) == done.count(True)


def test_calls_without_a_fault_pass_unchanged_on_one_connection() -> None:
    upstream = Upstream()
    with upstream.running() as address, running_proxy(address, Always(None)) as proxy:
        target = urlsplit(proxy)
        connection = http.client.HTTPConnection(target.hostname or "", target.port)
        for _ in range(3):
            connection.request("POST", "/x?y=1", b'{"Records": [1]}', {"X-Amz-Target": "F.PutRecordBatch"})
            assert json.loads(connection.getresponse().read()) == {"RequestResponses": [{"RecordId": "r"}]}
        connection.close()
    assert upstream.seen == [("F.PutRecordBatch", b'{"Records": [1]}')] * 3


@pytest.mark.parametrize(
    ("operation", "body", "passed_on", "whole"),
    [
        (
            "BatchWriteItem",
            {"RequestItems": {"t": [1, 2, 3, 4]}},
            {"RequestItems": {"t": [1, 3]}},
            {"UnprocessedItems": {"t": [2, 4]}},
        ),
        (
            "BatchGetItem",
            {"RequestItems": {"t": {"Keys": [1, 2, 3, 4], "ConsistentRead": True}}},
            {"RequestItems": {"t": {"Keys": [1, 3], "ConsistentRead": True}}},
            {"Responses": {}, "UnprocessedKeys": {"t": {"Keys": [2, 4], "ConsistentRead": True}}},
        ),
        (
            "SendMessageBatch",
            {"QueueUrl": "q", "Entries": [{"Id": name} for name in "abcd"]},
            {"QueueUrl": "q", "Entries": [{"Id": "a"}, {"Id": "c"}]},
            {
                "Successful": [],
                "Failed": [{"Id": name, "SenderFault": False, "Code": "InternalError"} for name in "bd"],
            },
        ),
    ],
)
def test_batches_are_split_as_their_services_do_it(operation: str, body: Any, passed_on: Any, whole: Any) -> None:
    request, answer = split(operation, body, lambda count: HALF[:count])
    assert (request, answer({})) == (passed_on, whole)


def test_as_many_calls_fail_as_are_asked_for_and_an_outage_fails_all() -> None:
    faults = Faults(seed=3, share=0.06)
    for _ in range(20_000):
        faults.draw(Call("dynamodb", "BatchWriteItem"))
    assert 0.055 < faults.faulted_share < 0.065
    assert set(faults.by_kind()) == {"throttled", "failed", "cut_off", "lost", "partial"}
    faults.outages.add("s3")
    assert {faults.draw(Call("s3", "PUT")) for _ in range(50)} == {Fault.OUTAGE}
    again = Faults(seed=3, share=0.06)
    for _ in range(20_000):
        again.draw(Call("dynamodb", "BatchWriteItem"))
    assert {key: count for key, count in faults.faulted.items() if key[1] is not Fault.OUTAGE} == dict(again.faulted)


def test_expected_labels_follow_the_rules() -> None:
    traffic = Traffic("m", seed=4, events=2000)
    configured = parse_configuration(configuration("m"))
    reader = FeedbackReader(configured, END, ClientTimestamps.TRUSTED)
    about: dict[str, list[Any]] = {name: [] for name in traffic.predictions}
    for event in traffic.feedback:
        try:
            read = reader.read(event, "event")
        except InvalidInput:
            continue
        about.get(event["prediction_id"], []).append(read)
    expected = traffic.expected()
    for name, item in traffic.predictions.items():
        made = prediction(name, model="m", occurred_at=parse_time(item["occurred_at"]))
        label = resolve(made, about[name], rules_of(ConfigurationRevision(1, configured)), END)
        assert label.value == (None if expected[name] is None else pytest.approx(expected[name])), name
    assert any(value is None for value in expected.values())


def test_lost_and_doubled_events_are_found() -> None:
    traffic = Traffic("m", seed=4, events=500)
    name, value = next((name, value) for name, value in traffic.expected().items() if value is not None)

    def seen(label: float | None, events: int) -> Account:
        account = Account()
        record = [] if label is None else [{"seq": 1, "value": json.dumps(label)}]
        reality = Reality(
            labels={name: record},
            records={name: {"seq": 1, "value": label}} if record else {},
            events={(name, str(number)): 1 for number in range(events)},
        )
        only = Traffic("m", seed=4, events=500)
        only.predictions = {name: only.predictions[name]}
        _count_labels(account, only, reality)
        return account

    assert (seen(value, 1).labelled, seen(value, 1).unexplained) == (1, [])
    assert seen(None, 0).lost == 1
    assert seen(value + 0.1, 0).lost == 1
    assert seen(value + 0.1, 99).doubled == 1
    account = Account()
    stray = {"code": "conflict", "event": {"feedback_id": "unknown", "value": OTHER}}
    _count_quarantine(account, traffic, Reality(quarantine=[stray]))
    assert account.lost == sum(len(wanted) for wanted in traffic.must_be_quarantined().values())
    assert any("unknown" in found for found in account.unexplained)
