"""An account in simulated time: the template's functions run in this process; what calls them is played.

Tables and lake are moto's, in memory; Firehose, queues, streams, the clock, asynchronous invocations and the state
machines are played here, by the template's own numbers. Nothing sleeps.
"""

import gzip
import heapq
import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from bench.cost.events import Event, in_json, intended, message, notification, plain_item, written_keys
from bench.cost.lambdas import Function
from bench.cost.meter import GB, Call, Change, Meter
from bench.cost.output import Output
from bench.cost.patterns import matches
from bench.cost.plain import plain_client, size_of
from local.transformed import Deployment

SHARDS = 4
# How long a call takes on AWS, in seconds: what a function waits for is billed. As the account mode plays them.
LATENCY = {"dynamodb": 0.010, "s3": 0.025, "firehose": 0.020}
_OTHER_LATENCY = 0.020
_FIREHOSE_BYTES_PER_MB = 1_000_000
_RECEIVE = 10


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
    out: Output = field(default_factory=Output)
    _heap: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)
    _buffer: list[bytes] = field(default_factory=list)
    _queues: dict[str, list[str]] = field(default_factory=dict)
    _records: dict[tuple[str, int], list[Event]] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)

    def at(self, when: float, work: Callable[[], None]) -> None:
        """Run an action at a moment."""
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
            if cold:
                invocation.uses.append(("start", "environment"))
            # Each function has its log group.
            invocation.uses.append(("logs", function.name))
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
            (table, before, self._image(table, key) if succeeded else intended(asked, table, key) or before)
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
        """Answer for the services played here; None leaves a call to moto."""
        played: dict[str, Callable[[str, Event], Event]] = {
            "firehose": lambda _, asked: self._captured(asked),
            "sqs": lambda _, asked: self._sent(asked),
            "lambda": lambda _, asked: self._invoked(asked),
            "events": lambda _, asked: self._announced(asked),
            "cloudwatch": lambda _, asked: self._measured(asked),
            "stepfunctions": self._machine_asked,
            "apigateway": lambda _, asked: {
                "id": asked["apiKey"],
                "value": f"value-of-{asked['apiKey']}",
                "enabled": True,
            },
        }
        return played[service](operation, asked) if service in played else None

    def _sent(self, asked: Event) -> Event:
        url, body = asked["QueueUrl"], asked["MessageBody"]
        self.at(self.now + asked.get("DelaySeconds", 0), lambda: self._arrived(url, body))
        return {"MessageId": "sent"}

    def _invoked(self, asked: Event) -> Event:
        payload, arn = json.loads(asked.get("Payload") or "{}"), self._arn_of(asked["FunctionName"])
        self.at(self.now + 0.1, lambda: self.invoke(arn, payload))
        return {"StatusCode": 202}

    def _announced(self, asked: Event) -> Event:
        self.meter.book("announcements", self.now, {"sns_publishes": len(asked["Entries"])})
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in asked["Entries"]]}

    def _measured(self, asked: Event) -> Event:
        for datum in asked["MetricData"]:
            named = {found["Name"]: found["Value"] for found in datum.get("Dimensions", [])}
            self.meter.see_metric(datum["MetricName"], named, self.now)
        return {}

    def _machine_asked(self, operation: str, asked: Event) -> Event:
        if operation == "StartExecution":
            self.started.append(json.loads(asked["input"]))
        return {"executionArn": "arn:execution", "status": "RUNNING", "startDate": self.moment}

    def _arn_of(self, function: str) -> str:
        return next(arn for arn, found in self.functions.items() if function in {arn, found.deployed})

    @property
    def moment(self) -> datetime:
        """The account's present moment."""
        return datetime.fromtimestamp(self.now, UTC)

    def items(self, table: str) -> Iterator[Event]:
        """List the items of a table, by its logical id."""
        tables = dynamodb_backends[self.deployment.place.account][self.deployment.place.region].tables
        for rows in tables[self.deployment.resources[table]["Name"]].items.values():
            yield from (plain_item(item.to_json()["Attributes"]) for item in rows.values())

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
        key = (
            f"feedback/date={self.moment:%Y-%m-%d}/hindsight-1-{self.moment:%Y-%m-%d-%H-%M-%S}-{next(self._number)}.gz"
        )
        plain_client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)
        self.meter.book("delivery of feedback", self.now, {"s3_puts": 1})
        self.stored_object(key)

    @property
    def bucket(self) -> str:
        """Name of the lake's bucket."""
        (bucket,) = self.deployment.of("AWS::S3::Bucket").values()
        return str(bucket["BucketName"])

    def stored_object(self, key: str) -> None:
        """Account for a new object, and notify whom the bucket notifies."""
        size = size_of(self.bucket, key)
        if key in self.stored:
            self.replaced.append((key, self.stored[key][0], self.now))
        self.stored[key] = (size, self.now)
        (bucket,) = self.deployment.of("AWS::S3::Bucket").values()
        for notified in bucket["NotificationConfiguration"]["QueueConfigurations"]:
            (rule,) = notified["Filter"]["S3Key"]["Rules"]
            if key.startswith(rule["Value"]):
                self.meter.book("notifications of objects", self.now, {"sqs_requests": 1})
                self._arrived(notified["Queue"], notification(self.bucket, key, size))

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
            records = [message(body, number, mapping["EventSourceArn"]) for number, body in enumerate(batch)]
            answer = self.invoke(self._arn_of(mapping["FunctionName"]), {"Records": records}) or {}
            if answer.get("batchItemFailures"):
                msg = f"{mapping['FunctionName']} gave back {answer}"
                raise RuntimeError(msg)

    # ── Streams ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def _images(self, service: str, asked: Event) -> list[tuple[str, Event, Event | None]]:
        if service != "dynamodb":
            return []
        return [(table, key, self._image(table, key)) for table, key in written_keys(asked)]

    def _image(self, table: str, key: Event) -> Event | None:
        tables = dynamodb_backends[self.deployment.place.account][self.deployment.place.region].tables
        found = tables[table].items.get(DynamoType(key["pk"]), {}).get(DynamoType(key["sk"]))
        return None if found is None else plain_item(found.to_json()["Attributes"])

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
                **({"NewImage": in_json(after)} if after else {}),
                **({"OldImage": in_json(before)} if before else {}),
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
                answer = self.invoke(self._arn_of(mapping["FunctionName"]), {"Records": batch}) or {}
                if answer.get("batchItemFailures"):
                    msg = f"{name} gave back {answer}"
                    raise RuntimeError(msg)

        return read
