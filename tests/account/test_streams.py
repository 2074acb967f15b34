"""A table's stream in account mode: four shards, read side by side, each in order."""

import json

import pytest

from bench.account.mode.shards import processed, shard_of
from tests.account.conftest import Account, eventually

ITEMS, CHANGES = 12, 5


@pytest.fixture
def table(account: Account) -> str:
    tables = account.aws("dynamodb")
    made = tables.create_table(
        TableName="things",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    account.aws("lambda").create_event_source_mapping(
        FunctionName=account.function({"Action": "dynamodb:*", "Resource": "*"}),
        EventSourceArn=made["LatestStreamArn"],
        StartingPosition="TRIM_HORIZON",
        BatchSize=10,
        MaximumBatchingWindowInSeconds=5,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    return "things"


def test_stream_is_read_by_shards_each_in_the_order_of_its_items(account: Account, table: str) -> None:
    tables = account.aws("dynamodb")
    for number in range(CHANGES):
        for item in range(ITEMS):
            tables.put_item(TableName=table, Item={"pk": {"S": f"thing-{item}"}, "n": {"N": str(number)}})

    def batches() -> list[list[tuple[str, int]]] | None:
        s3 = account.aws("s3")
        read = [json.load(s3.get_object(Bucket="bucket", Key=key)["Body"]) for key in sorted(account.keys("batches/"))]
        return read if sum(map(len, read)) >= ITEMS * CHANGES else None

    found = eventually(batches)
    assert all(len(batch) <= 10 for batch in found)
    together = [{name for name, _ in batch} for batch in found]
    shards = {name: shard_of({"dynamodb": {"Keys": {"pk": {"S": name}}}}, 4) for batch in together for name in batch}
    assert len(set(shards.values())) > 1
    assert all(len({shards[name] for name in batch}) == 1 for batch in together)
    for item in range(ITEMS):
        assert [n for batch in found for name, n in batch if name == f"thing-{item}"] == list(range(CHANGES))


def test_stream_batch_is_retried_from_the_record_that_the_function_names() -> None:
    records = [{"dynamodb": {"SequenceNumber": str(number)}} for number in range(5)]
    mapping = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}

    def failing(*numbers: str) -> dict[str, object]:
        return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}

    assert processed(records, failing("3", "2"), mapping) == 2
    assert processed(records, failing("no such number"), mapping) == 0
    assert processed(records, failing(), mapping) == 5
    assert processed(records, failing("3"), {}) == 5
