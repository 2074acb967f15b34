"""A small account: the embedded AWS in account mode, and one function in it that does what its event asks for."""

import io
import json
import shutil
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from bench.account.mode.settings import Mode
from bench.account.stack import account_server

# As small as shows what is limited, so that the tests are quick.
MODE = Mode(
    concurrency=3,
    pace=0.1,
    integration_seconds=2.0,
    history_events=40,
    firehose_bytes_per_second=100_000,
    layer_megabytes={"HeavyFunction": 88.0},
)
PROBE = """
import json, os, time
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    if "Records" in event and "dynamodb" in event["Records"][0]:
        return note(event["Records"])
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "answer" in event:
        return event["answer"] if isinstance(event["answer"], dict) else "x" * event["answer"]
    if "body" in event and event.get("requestContext"):
        return answer_api(json.loads(event["body"] or "{}"))
    if "Records" in event:
        keep(context.function_name, f"{len(event['Records'])}-{event['Records'][0]['messageId']}")
        return
    if "keep" in event:
        return keep("kept", event["keep"])
    if "call" in event:
        service, operation, arguments = event["call"]
        began = time.monotonic()
        try:
            config = boto3.session.Config(retries={"total_max_attempts": 1})
            getattr(boto3.client(service, config=config), operation)(**arguments)
        except ClientError as error:
            response = error.response
            return {"error": response["ResponseMetadata"]["HTTPStatusCode"], "code": response["Error"]["Code"]}
        return {"seconds": time.monotonic() - began}
    return {}

def keep(kind, name):
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=f"{kind}/{name}", Body=b"1")

def note(records):
    time.sleep(0.2)
    rows = [[r["dynamodb"]["Keys"]["pk"]["S"], int(r["dynamodb"]["NewImage"]["n"]["N"])] for r in records]
    key = f"batches/{time.time():.6f}-{records[0]['dynamodb']['SequenceNumber']}"
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=key, Body=json.dumps(rows).encode())
    failing = [r["dynamodb"]["SequenceNumber"] for r in records if "poison" in r["dynamodb"]["NewImage"]]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in failing[:1]]}

def answer_api(body):
    time.sleep(body.get("sleep", 0))
    if "fail" in body:
        raise ValueError(body["fail"])
    if "returns" in body:
        return body["returns"]
    return {"statusCode": 200, "body": "x" * body.get("answer", 0)}
"""
TRUST = {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}}


@dataclass
class Account:
    """An account with a bucket, and functions with rights of their own."""

    endpoint_url: str
    bucket: str
    folder: Path

    def aws(self, service: str) -> Any:
        """Make a client of the account's root, without retries."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def role(self, *statements: dict[str, Any]) -> str:
        """Create a role with these rights."""
        iam, name = self.aws("iam"), f"role-{uuid.uuid4().hex[:8]}"
        trust = {"Version": "2012-10-17", "Statement": [TRUST | {"Action": "sts:AssumeRole"}]}
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        return arn

    def function(self, *statements: dict[str, Any], logical_id: str = "ProbeFunction") -> str:
        """Create a function with these rights, besides that of writing to the bucket."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("probe.py", PROBE)
        name = f"test-{logical_id}-{uuid.uuid4().hex[:8]}"
        write = {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{self.bucket}/*"}
        self.aws("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="probe.handler",
            Role=self.role(write, *statements),
            Timeout=30,
            Code={"ZipFile": content.getvalue()},
            Environment={"Variables": {"BUCKET": self.bucket}},
        )
        return name

    def invoke(self, function: str, **event: Any) -> Any:
        """Invoke a function and return its answer."""
        answer = self.aws("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read())

    def keys(self, prefix: str) -> list[str]:
        """List the bucket's objects."""
        found = self.aws("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return [one["Key"] for one in found]


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("account")
    server = account_server(folder, MODE)
    server.start()
    try:
        found = Account(server.endpoint_url, "bucket", folder)
        found.aws("s3").create_bucket(Bucket="bucket")
        yield found
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def eventually(look: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait for a result that is not empty."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)
    return seen
