"""Tables and a bucket in moto, as the template declares them, for the suites that judge fakes and adapters alike."""

import functools
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb.models import DynamoDBBackend

from hindsight.adapters.dynamodb import requests

REGION = "eu-west-1"


# What moto undoes of a refused transaction is the whole table, with what other threads wrote meanwhile; DynamoDB
# isolates transactions. So here they follow each other.
_WRITES = ("put_item", "update_item", "delete_item", "transact_write_items")
_one_at_a_time = threading.RLock()


def _isolated(write: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(write)
    def isolated(*arguments: Any, **named: Any) -> Any:
        with _one_at_a_time:
            return write(*arguments, **named)

    return isolated


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for write in _WRITES:
        monkeypatch.setattr(DynamoDBBackend, write, _isolated(getattr(DynamoDBBackend, write)))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def _refuse_reversed_range(params: dict[str, Any], **_: Any) -> None:
    """Refuse a range that ends before it begins, as DynamoDB does and moto does not."""
    found = re.search(r"BETWEEN (:\w+) AND (:\w+)", params.get("KeyConditionExpression", ""))
    if found is not None:
        first, last = (params["ExpressionAttributeValues"][name]["S"] for name in found.groups())
        if first > last:
            message = "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
            raise ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "Query")


@pytest.fixture
def dynamodb(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(requests, "pause_seconds", lambda _: 0.0)
    client = boto3.client("dynamodb", region_name=REGION)
    client.meta.events.register("provide-client-params.dynamodb.Query", _refuse_reversed_range)
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    names = ["pk", "sk", "due_shard", "due_at", "review_partition", "review_at"]
    client.create_table(
        TableName="predictions",
        KeySchema=keys,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_shard", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "review",
                "KeySchema": [
                    {"AttributeName": "review_partition", "KeyType": "HASH"},
                    {"AttributeName": "review_at", "KeyType": "RANGE"},
                ],
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": ["closes_at", "done_by", "held_by", "ratings"],
                },
            },
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    client.create_table(
        TableName="models",
        KeySchema=keys,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names[:2]],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


@pytest.fixture
def bucket(aws: None) -> Any:
    client = boto3.client("s3", region_name=REGION)
    client.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
    return client
