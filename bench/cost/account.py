"""An account in simulated time: the template's functions run in this process; what calls them is played.

Tables and lake are moto's, in memory; Firehose, queues, streams, the clock, asynchronous invocations and the state
machines are played here, by the template's own numbers. Nothing sleeps.
"""

import gzip
import heapq
import io
import json
import os
import sys
import time
import zlib
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import count
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import boto3
from moto import mock_aws
from moto.core import botocore_stubber
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.s3.models import s3_backends

from bench.cost.lambdas import Function, functions_of
from bench.cost.meter import GB, Call, Change, Meter
from bench.cost.patterns import matches
from bench.cost.transactions import quick_transactions
from local.transformed import Deployment

SHARDS = 4
# How long a call takes on AWS, in seconds: what a function waits for is billed. As the account mode plays them.
LATENCY = {"dynamodb": 0.010, "s3": 0.025, "firehose": 0.020}
_OTHER_LATENCY = 0.020
_FIREHOSE_BYTES_PER_MB = 1_000_000
_RECEIVE = 10

Event = dict[str, Any]


@dataclass(slots=True)
class Account:
    """A deployment that runs; ``now`` is its clock, in seconds."""

    deployment: Deployment
    meter: Meter
    now: float
    functions: dict[str, Function] = field(default_factory=dict)
    stored: dict[str, tuple[int, float]] = field(default_factory=dict)
    replaced: list[tuple[str, int, float]] = field(default_factory=list)
    started: list[Event] = field(default_factory=list)
    out: "Output" = field(default_factory=lambda: Output())
    _heap: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)
    _buffer: list[bytes] = field(default_factory=list)
    _queues: dict[str, list[str]] = field(default_factory=dict)
    _records: dict[tuple[str, int], list[Event]] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)

    def at(self, when: float, work: Callable[[], None]) -> None:
        """Have something done at a moment."""
        heapq.heappush(self._heap, (when, next(self._number), work))

    def run_until(self, end: float) -> None:
        """Let time pass."""
        while self._heap and self._heap[0][0] <= end:
            self.now, _, work = heapq.heappop(self._heap)
            work()
        self.now = end

    def invoke(self, arn: str, event: Event, kind: str | None = None) -> Any:
        """Run a function to its end and book what it cost. Raises what it raises."""
        function = self.functions[arn]
        handler = function.handler()
        invocation = self.meter.begin(kind or function.name, self.now)
        self.meter.waited = self.meter.excluded = 0.0
        written, began = self.out.bytes, time.process_time()
        try:
            answer = handler(json.loads(json.dumps(event)), function.context())
        finally:
            cpu = max(0.0, time.process_time() - began - self.meter.excluded)
            cold = self.now - self._last.get(arn, -1e9) > function.KEPT_SECONDS
            self._last[arn] = self.now
            seconds = function.seconds(cpu, self.meter.waited, cold=cold)
            logged = self.out.bytes - written + function.PLATFORM_LOG_BYTES
            self.meter.end(invocation, {**function.bill(seconds), "log_gb": logged / GB})
        return answer

    # ── What the handlers call ──────────────────────────────────────────────────────────────────────────────────────
    def before_call(self, model: Any, context: Event, **_: Any) -> Any:
        """Note what a call is about to change, and answer what moto does not play."""
        service, operation = model.service_model.service_name, model.name
        context["changes"] = self.meter.without(lambda: self._images(service, context["asked"]))
        answer = self._answer(service, operation, context["asked"])
        return None if answer is None else (SimpleNamespace(status_code=200, headers={}), answer)

    def after_call(self, http_response: Any, parsed: Event, model: Any, context: Event, **_: Any) -> None:
        """Book a call, and let what follows from it follow."""
        self.meter.without(lambda: self._see(http_response, parsed, model, context))

    def _see(self, http_response: Any, parsed: Event, model: Any, context: Event) -> None:
        service, asked = model.service_model.service_name, context["asked"]
        succeeded = http_response.status_code < 300
        changes: list[Change] = [
            (table, before, self._image(table, key) if succeeded else _intended(asked, table, key) or before)
            for table, key, before in context["changes"]
        ]
        call = Call(service, model.name, asked, parsed, succeeded, changes)
        self.meter.see(call, LATENCY.get(service, _OTHER_LATENCY))
        if not succeeded:
            return
        if service == "s3" and model.name in {"PutObject", "CompleteMultipartUpload", "CopyObject"}:
            self.stored_object(asked["Key"])
        elif service == "s3" and model.name == "DeleteObject":
            self._removed(asked["Key"])
        elif service == "s3" and model.name == "DeleteObjects":
            for found in asked["Delete"]["Objects"]:
                self._removed(found["Key"])
        for table, before, after in changes:
            if before != after:
                self._changed(table, before, after)

    def _answer(self, service: str, operation: str, asked: Event) -> Event | None:
        if service == "firehose":
            return self._captured(asked)
        if service == "sqs":
            self.at(self.now + asked.get("DelaySeconds", 0), lambda: self._arrived(asked["QueueUrl"], asked["MessageBody"]))
            return {"MessageId": "sent"}
        if service == "lambda":
            arn = next(arn for arn, found in self.functions.items() if asked["FunctionName"] in {arn, found.deployed})
            payload = json.loads(asked.get("Payload") or "{}")
            self.at(self.now + 0.1, lambda: self.invoke(arn, payload))
            return {"StatusCode": 202}
        if service == "events":
            self.meter.book("announcements", self.now, {"sns_publishes": len(asked["Entries"])})
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in asked["Entries"]]}
        if service == "cloudwatch":
            for datum in asked["MetricData"]:
                named = {found["Name"]: found["Value"] for found in datum.get("Dimensions", [])}
                self.meter.see_metric(datum["MetricName"], named, self.now)
            return {}
        if service == "stepfunctions":
            if operation == "StartExecution":
                self.started.append(json.loads(asked["input"]))
            return {"executionArn": "arn:execution", "status": "RUNNING", "startDate": self.moment}
        if service == "apigateway":
            return {"id": asked["apiKey"], "value": f"value-of-{asked['apiKey']}", "enabled": True}
        return None

    @property
    def moment(self) -> datetime:
        """The account's present moment."""
        return datetime.fromtimestamp(self.now, UTC)

    def items(self, table: str) -> Iterator[Event]:
        """List the items of a table, by its logical id."""
        tables = dynamodb_backends[self.deployment.place.account][self.deployment.place.region].tables
        for rows in tables[self.deployment.resources[table]["Name"]].items.values():
            yield from (_plain_item(item.to_json()["Attributes"]) for item in rows.values())

    # ── Firehose and the lake ───────────────────────────────────────────────────────────────────────────────────────
    def _captured(self, asked: Event) -> Event:
        (stream,) = self.deployment.of("AWS::KinesisFirehose::DeliveryStream").values()
        hints = stream["ExtendedS3DestinationConfiguration"]["BufferingHints"]
        if not self._buffer:
            self.at(self.now + float(hints["IntervalInSeconds"]), self._deliver)
        self._buffer += [record["Data"] for record in asked["Records"]]
        if sum(map(len, self._buffer)) > float(hints["SizeInMBs"]) * _FIREHOSE_BYTES_PER_MB:
            self._deliver()
        answered = [{"RecordId": "1"} for _ in asked["Records"]]
        return {"FailedPutCount": 0, "RequestResponses": answered}

    def _deliver(self) -> None:
        if not self._buffer:
            return
        content, self._buffer = gzip.compress(b"".join(self._buffer)), []
        key = f"feedback/date={self.moment:%Y-%m-%d}/hindsight-1-{self.moment:%Y-%m-%d-%H-%M-%S}-{next(self._number)}.gz"
        _plain("s3").put_object(Bucket=self.bucket, Key=key, Body=content)
        self.meter.book("delivery of feedback", self.now, {"s3_puts": 1})
        self.stored_object(key)

    @property
    def bucket(self) -> str:
        """Name of the lake's bucket."""
        (bucket,) = self.deployment.of("AWS::S3::Bucket").values()
        return str(bucket["BucketName"])

    def stored_object(self, key: str) -> None:
        """Account for a new object, and notify whom the bucket notifies."""
        size = _size(self.bucket, key)
        if key in self.stored:
            self.replaced.append((key, self.stored[key][0], self.now))
        self.stored[key] = (size, self.now)
        (bucket,) = self.deployment.of("AWS::S3::Bucket").values()
        for notified in bucket["NotificationConfiguration"]["QueueConfigurations"]:
            (rule,) = notified["Filter"]["S3Key"]["Rules"]
            if key.startswith(rule["Value"]):
                self.meter.book("notifications of objects", self.now, {"sqs_requests": 1})
                self._arrived(notified["Queue"], _notification(self.bucket, key, size))

    def _removed(self, key: str) -> None:
        if key in self.stored:
            self.replaced.append((key, self.stored.pop(key)[0], self.now))

    # ── Queues ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def _arrived(self, queue: str, body: str) -> None:
        name = queue.rsplit(":", 1)[-1].rsplit("/", 1)[-1]
        for mapping in self.deployment.of("AWS::Lambda::EventSourceMapping").values():
            if mapping["EventSourceArn"].endswith(f":{name}"):
                waiting = self._queues.setdefault(name, [])
                if not waiting:
                    wait = float(mapping.get("MaximumBatchingWindowInSeconds", 0)) + 0.5
                    self.at(self.now + wait, self._receiver(name, mapping))
                waiting.append(body)

    def _receiver(self, name: str, mapping: Event) -> Callable[[], None]:
        return lambda: self._receive(name, mapping)

    def _receive(self, name: str, mapping: Event) -> None:
        bodies, self._queues[name] = self._queues[name], []
        size = int(mapping["BatchSize"])
        for first in range(0, len(bodies), size):
            batch = bodies[first : first + size]
            self.meter.book("receipt of messages", self.now, {"sqs_requests": 2 * -(-len(batch) // _RECEIVE)})
            records = [_message(body, number, mapping["EventSourceArn"]) for number, body in enumerate(batch)]
            answer = self.invoke(self._function(mapping), {"Records": records}) or {}
            if answer.get("batchItemFailures"):
                msg = f"{mapping['FunctionName']} gave back {answer}"
                raise RuntimeError(msg)

    def _function(self, mapping: Event) -> str:
        return next(arn for arn, found in self.functions.items() if mapping["FunctionName"] in {arn, found.deployed})

    # ── Streams ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def _images(self, service: str, asked: Event) -> list[tuple[str, Event, Event | None]]:
        if service != "dynamodb":
            return []
        return [(table, key, self._image(table, key)) for table, key in written_keys(asked)]

    def _image(self, table: str, key: Event) -> Event | None:
        tables = dynamodb_backends[self.deployment.place.account][self.deployment.place.region].tables
        found = tables[table].items.get(DynamoType(key["pk"]), {}).get(DynamoType(key["sk"]))
        return None if found is None else _plain_item(found.to_json()["Attributes"])

    def _changed(self, table: str, before: Event | None, after: Event | None) -> None:
        image = after or before or {}
        kind = "INSERT" if before is None else "REMOVE" if after is None else "MODIFY"
        shard = zlib.crc32(json.dumps(image["pk"]).encode()) % SHARDS
        record: Event = {
            "eventName": kind,
            "eventSource": "aws:dynamodb",
            "dynamodb": {
                "ApproximateCreationDateTime": self.now,
                "Keys": {"pk": image["pk"], "sk": image["sk"]},
                "SequenceNumber": f"{next(self._number):024d}",
                **({"NewImage": _in_json(after)} if after else {}),
                **({"OldImage": _in_json(before)} if before else {}),
            },
        }
        for name, mapping in self.deployment.of("AWS::Lambda::EventSourceMapping").items():
            if f":table/{table}/stream" not in mapping["EventSourceArn"]:
                continue
            filters = mapping.get("FilterCriteria", {}).get("Filters", [])
            if filters and not any(matches(json.loads(one["Pattern"]), record) for one in filters):
                continue
            waiting = self._records.setdefault((name, shard), [])
            if not waiting:
                wait = float(mapping.get("MaximumBatchingWindowInSeconds", 0)) + 0.2
                self.at(self.now + wait, self._reader(name, shard, mapping))
            waiting.append(record)

    def _reader(self, name: str, shard: int, mapping: Event) -> Callable[[], None]:
        def read() -> None:
            records, self._records[name, shard] = self._records[name, shard], []
            for first in range(0, len(records), int(mapping["BatchSize"])):
                batch = records[first : first + int(mapping["BatchSize"])]
                answer = self.invoke(self._function(mapping), {"Records": batch}) or {}
                if answer.get("batchItemFailures"):
                    msg = f"{name} gave back {answer}"
                    raise RuntimeError(msg)

        return read


class Output(io.TextIOBase):
    """What functions print: counted, and read for embedded metrics."""

    def __init__(self) -> None:
        self.bytes = 0
        self.newest: deque[str] = deque(maxlen=20)
        self.on_metrics: Callable[[Event], None] = lambda _: None

    def write(self, text: str) -> int:
        """Count a line, and note the metrics in it."""
        self.bytes += len(text.encode())
        self.newest.append(text)
        for line in text.splitlines():
            if line.startswith('{"_aws"'):
                self.on_metrics(json.loads(line))
        return len(text)

    def writable(self) -> bool:
        """Tell that it takes text."""
        return True


def written_keys(asked: Mapping[str, Any]) -> list[tuple[str, Event]]:
    """Name the items that a call of DynamoDB writes or holds to a condition, by table."""
    if "TransactItems" in asked:
        return [found for one in asked["TransactItems"] for change in one.values() for found in written_keys(change)]
    if "RequestItems" in asked:
        return [
            (table, _key(change.get("PutRequest", {}).get("Item") or change["DeleteRequest"]["Key"]))
            for table, changes in asked["RequestItems"].items()
            if isinstance(changes, list)
            for change in changes
        ]
    changes = {"Item", "UpdateExpression", "ConditionExpression"} & asked.keys()
    if not changes or "KeyConditionExpression" in asked:
        return []
    return [(asked["TableName"], _key(asked.get("Item") or asked["Key"]))]


def _key(item: Event) -> Event:
    return {"pk": item["pk"], "sk": item["sk"]}


def _intended(asked: Event, table: str, key: Event) -> Event | None:
    """Find what a refused write would have put."""
    operations = [change for one in asked.get("TransactItems", [{"Put": asked}]) for change in one.values()]
    items = [found["Item"] for found in operations if "Item" in found and found["TableName"] == table]
    return next((item for item in items if _key(item) == key), None)


def _plain_item(attributes: Event) -> Event:
    """Copy an item as moto keeps it, its bytes decoded."""
    return {
        name: {"B": b64decode(value["B"])} if isinstance(value.get("B"), str) else value
        for name, value in attributes.items()
    }


def _in_json(image: Event) -> Event:
    """Write an image as an event has it: bytes in base64."""
    return {
        name: {"B": b64encode(bytes(value["B"])).decode()} if isinstance(value.get("B"), bytes) else value
        for name, value in image.items()
    }


def _message(body: str, number: int, queue: str) -> Event:
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "0"}
    return {
        "messageId": f"message-{number}",
        "receiptHandle": "handle",
        "body": body,
        "attributes": attributes,
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
    }


def _notification(bucket: str, key: str, size: int) -> str:
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-03-01T00:00:00.000Z",
        "s3": {"bucket": {"name": bucket}, "object": {"key": quote(key), "size": size, "eTag": "0" * 32, "sequencer": "0"}},
    }
    return json.dumps({"Records": [record]})


def _size(bucket: str, key: str) -> int:
    for regions in s3_backends.values():
        for backend in regions.values():
            if bucket in backend.buckets and key in backend.buckets[bucket].keys:
                return int(backend.buckets[bucket].keys[key].size)
    msg = f"{key} is not in {bucket}"
    raise KeyError(msg)


@cache
def _plain(service: str) -> Any:
    """Make a client whose calls are nobody's: they are not metered."""
    return boto3.session.Session().client(service)  # type: ignore[call-overload]


@contextmanager
def running(deployment: Deployment, start: datetime) -> Iterator[Account]:
    """Run a deployment in this process; its modules must not have been imported before."""
    place = deployment.place
    functions = {
        f"arn:aws:lambda:{place.region}:{place.account}:function:{found.deployed}": found
        for found in functions_of(deployment)
    }
    account = Account(deployment, Meter(), start.timestamp(), functions)
    os.environ.update(_environment(functions, place.region))
    before, sys.stdout = sys.stdout, account.out
    account.out.on_metrics = lambda record: _embedded(account, record)
    stub = botocore_stubber.BotocoreStubber.__call__

    def apart(self: Any, *arguments: Any, **named: Any) -> Any:
        return account.meter.without(lambda: stub(self, *arguments, **named))

    botocore_stubber.BotocoreStubber.__call__ = apart  # type: ignore[method-assign]
    try:
        with mock_aws(), quick_transactions():
            boto3.setup_default_session(region_name=place.region)
            _make_stores(account)
            events = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
            events.register("before-parameter-build", lambda params, context, **_: context.update(asked=params))
            events.register("before-call", account.before_call)
            events.register("after-call", account.after_call)
            yield account
    finally:
        botocore_stubber.BotocoreStubber.__call__ = stub  # type: ignore[method-assign]
        sys.stdout = before


def _embedded(account: Account, record: Event) -> None:
    for directive in record["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                account.meter.see_metric(metric["Name"], {name: record[name] for name in names}, account.now)


def _environment(functions: Mapping[str, Function], region: str) -> dict[str, str]:
    merged: dict[str, str] = {}
    for function in functions.values():
        for name, value in function.environment.items():
            if merged.setdefault(name, str(value)) != str(value):
                msg = f"{name} is not the same for all functions"
                raise ValueError(msg)
    keys = {"AWS_ACCESS_KEY_ID": "simulated", "AWS_SECRET_ACCESS_KEY": "simulated"}
    return {**merged, **keys, "AWS_DEFAULT_REGION": region, "POWERTOOLS_TRACE_DISABLED": "true"}


def _make_stores(account: Account) -> None:
    wanted = ("TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    for name, table in account.deployment.of("AWS::DynamoDB::Table").items():
        deployed = account.deployment.resources[name]["Name"]
        given = {key: table[key] for key in wanted if key in table} | {"TableName": deployed}
        _plain("dynamodb").create_table(**given)
        account.meter.indexes[deployed] = table.get("GlobalSecondaryIndexes", [])
    _plain("s3").create_bucket(Bucket=account.bucket)
