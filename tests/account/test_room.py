"""The room for functions in account mode: who is refused, and who waits."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.account.conftest import MODE, Account, eventually


@pytest.fixture
def full(account: Account) -> "ThreadPoolExecutor":
    """All the room there is, taken for a while."""
    sleeper = account.function()
    account.invoke(sleeper)
    pool = ThreadPoolExecutor(MODE.concurrency)
    for _ in range(MODE.concurrency):
        pool.submit(account.invoke, sleeper, sleep=3)
    return pool


def is_full(account: Account, function: str) -> bool:
    """Check whether a call is refused, as AWS refuses it."""
    try:
        account.aws("lambda").invoke(FunctionName=function)
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == 429)
    return False


def test_queue_hands_over_as_many_messages_as_its_mapping_says(account: Account) -> None:
    queues = account.aws("sqs")
    url = queues.create_queue(QueueName="many")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for start in (0, 10, 20):
        queues.send_message_batch(
            QueueUrl=url, Entries=[{"Id": str(start + place), "MessageBody": "{}"} for place in range(10)]
        )
    function = account.function({"Action": "sqs:*", "Resource": "*"})
    account.aws("lambda").create_event_source_mapping(
        FunctionName=function, EventSourceArn=arn, BatchSize=25, MaximumBatchingWindowInSeconds=5
    )
    eventually(lambda: len(account.keys(f"{function}/")) == 2)
    # 25 at once although a call of SQS hands out ten, and not the 30 that there are.
    assert {size: len(account.keys(f"{function}/{size}-")) for size in (25, 5)} == {25: 1, 5: 1}


def test_invocation_beyond_the_capacity_is_refused_or_waits(account: Account, full: ThreadPoolExecutor) -> None:
    function = account.function({"Action": "sqs:*", "Resource": "*"})
    queues = account.aws("sqs")
    url = queues.create_queue(QueueName="waiting", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    eventually(lambda: is_full(account, function))
    account.aws("lambda").create_event_source_mapping(FunctionName=function, EventSourceArn=arn, BatchSize=1)
    account.aws("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b'{"keep": "later"}')
    sent = queues.send_message(QueueUrl=url, MessageBody="{}")["MessageId"]

    full.shutdown(wait=True)
    eventually(lambda: account.keys("kept/later"))
    eventually(lambda: account.keys(f"{function}/1-{sent}"))
    # Waiting for room cost the message no delivery: it would reach its dead-letter queue for nothing it did.
    assert queues.receive_message(QueueUrl=url).get("Messages", []) == []
