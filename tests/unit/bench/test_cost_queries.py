"""Queries that look at fewer items answer as moto's own do."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bench.cost.transactions import quick_queries

DUE = {"IndexName": "due", "KeyConditionExpression": "shard = :d"}
QUERIES: dict[str, dict[str, Any]] = {
    "a collection": {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "p3"}}},
    "part of it, backwards": {
        "KeyConditionExpression": "pk = :p AND begins_with(sk, :s)",
        "ExpressionAttributeValues": {":p": {"S": "p3"}, ":s": {"S": "s1"}},
        "ScanIndexForward": False,
    },
    "nothing": {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "none"}}},
    "an index": {
        "IndexName": "due",
        "KeyConditionExpression": "shard = :d AND moment <= :a",
        "ExpressionAttributeValues": {":d": {"S": "d1"}, ":a": {"S": "a2"}},
    },
    "a page of an index": {**DUE, "ExpressionAttributeValues": {":d": {"S": "d2"}}, "Limit": 3},
    "an empty index": {**DUE, "ExpressionAttributeValues": {":d": {"S": "none"}}},
}


def key(of: str, then: str) -> Any:
    return [{"AttributeName": of, "KeyType": "HASH"}, {"AttributeName": then, "KeyType": "RANGE"}]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with mock_aws():
        made = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        made.create_table(
            TableName="t",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "shard", "moment")
            ],
            KeySchema=key("pk", "sk"),
            GlobalSecondaryIndexes=[
                {"IndexName": "due", "KeySchema": key("shard", "moment"), "Projection": {"ProjectionType": "ALL"}}
            ],
        )
        for number in range(60):
            item = {"pk": {"S": f"p{number % 7}"}, "sk": {"S": f"s{number * 13 % 60}"}}
            due = {"shard": {"S": f"d{number % 3}"}, "moment": {"S": f"a{number % 5}"}}
            made.put_item(TableName="t", Item={**item, **(due if number % 2 else {})})
        yield made


@pytest.mark.parametrize("asked", QUERIES.values(), ids=QUERIES)
def test_a_quick_query_answers_as_a_slow_one(client: Any, asked: dict[str, Any]) -> None:
    slow = client.query(TableName="t", **asked)
    with quick_queries():
        quick = client.query(TableName="t", **asked)
    assert [quick["Items"], quick.get("LastEvaluatedKey")] == [slow["Items"], slow.get("LastEvaluatedKey")]
