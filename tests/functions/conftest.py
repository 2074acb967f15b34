"""Handlers in a moto account: the environment of a deployment, its tables and bucket, clients of their own."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Powertools reads these when a handler's module is imported.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "hindsight")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Hindsight")
os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")

import boto3
import pytest

from hindsight.bootstrap import fan_out
from hindsight.core import recent_reads
from hindsight.core.fan_out import FanOut
from hindsight.testing.aws.invocations import InMemoryInvocations
from tests.contract import conftest as tables
from tests.ports import forget_ports

aws, bucket, dynamodb = tables.aws, tables.bucket, tables.dynamodb

EVENTS = Path(__file__).parents[2] / "events"
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
ENVIRONMENT = {
    "PREDICTIONS_TABLE": "predictions",
    "MODELS_TABLE": "models",
    "LAKE_BUCKET": "lake",
    "FEEDBACK_STREAM": "feedback",
    "STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:123456789012:stateMachine:retraining",
    "RELABELLING_STATE_MACHINE_ARN": "arn:aws:states:eu-west-1:123456789012:stateMachine:relabelling",
    "FEEDBACK_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/feedback-files",
    "IMPORT_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/import-files",
    "REPLAY_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/replay",
    "ERASURE_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/erasures",
    "ERASURE_SECOND_PASS_MINUTES": "0",
    "CONSUMER_CONCURRENCY": "2",
    "VERIFY_FUNCTION": "verify-dataset",
    "EXPORT_FUNCTION": "export-labels",
    "AUDIENCE_KEYS": "{}",
    "EVENT_BUS": "events",
    "MODEL_VERSIONS_TO_KEEP": "2",
    "MODEL_VERSION_RETENTION_DAYS": "400",
    "CODE_VERSION": "test",
    "CLIENT_TIMESTAMPS": "trusted",
}


@dataclass(frozen=True)
class Context:
    """The context of an invocation, as Lambda passes it."""

    function_name: str = "function"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:function"
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 600_000


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def deployed(
    monkeypatch: pytest.MonkeyPatch,
    dynamodb: Any,
    bucket: Any,
) -> Iterator[None]:
    """A deployment's environment over moto's tables and bucket."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(recent_reads, "EVERY_SECONDS", 0.0)
    forget_ports()
    boto3.client("events").create_event_bus(Name=ENVIRONMENT["EVENT_BUS"])
    yield
    forget_ports()


@pytest.fixture
def sample() -> Callable[[str], dict[str, Any]]:
    """Read the sample event of a function."""

    def read(folder: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / f"{folder}.json").read_text())
        return event

    return read


@pytest.fixture
def feedback_stream(deployed: None) -> None:
    """A stream that writes to the lake at once."""
    client: Any = boto3.client("firehose")
    destination = {"RoleARN": "arn:aws:iam::123456789012:role/write", "BucketARN": "arn:aws:s3:::lake"}
    client.create_delivery_stream(
        DeliveryStreamName="feedback", ExtendedS3DestinationConfiguration={**destination, "Prefix": "feedback/"}
    )


@dataclass(frozen=True)
class FannedOut:
    """A scheduled function and the invocations it starts of itself, made one after another."""

    context: Context
    invocations: InMemoryInvocations

    def run(self, handler: Handler, event: dict[str, Any]) -> tuple[list[Any], list[Exception]]:
        """Hand an event in, then make what was started; return the answers for single models, and the failures."""
        answer = handler(event, self.context)
        if "started" not in answer:
            return [answer], []
        return self.invocations.make(lambda payload: handler(payload, self.context))


@pytest.fixture
def fanned_out(deployed: None, context: Context, monkeypatch: pytest.MonkeyPatch) -> FannedOut:
    """Start invocations of several models in memory."""
    invocations = InMemoryInvocations()
    started = FanOut(invocations=invocations, clock=lambda: 0.0, pause=lambda _: None)
    monkeypatch.setattr(fan_out, "_fan_out", lambda _name: started)
    return FannedOut(context, invocations)


@pytest.fixture
def versioned(deployed: None) -> None:
    """Keep the replaced and deleted versions of the lake's objects."""
    boto3.client("s3").put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})


@pytest.fixture
def sent(deployed: None) -> Callable[[], list[str]]:
    """Make the queues of work; return the messages waiting in them."""
    client: Any = boto3.client("sqs")
    names = ("feedback-files", "import-files", "replay", "erasures")
    urls = [client.create_queue(QueueName=name)["QueueUrl"] for name in names]

    def read() -> list[str]:
        answers = [client.receive_message(QueueUrl=url, MaxNumberOfMessages=10) for url in urls]
        return [message["Body"] for answer in answers for message in answer.get("Messages", [])]

    return read


@pytest.fixture
def executions(deployed: None) -> Callable[[], list[str]]:
    """List the names of the executions started."""
    client: Any = boto3.client("stepfunctions")
    definition = '{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": true}}}'
    role = "arn:aws:iam::123456789012:role/run"
    arn = client.create_state_machine(name="retraining", definition=definition, roleArn=role)["stateMachineArn"]
    return lambda: [found["name"] for found in client.list_executions(stateMachineArn=arn)["executions"]]
