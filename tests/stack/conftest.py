import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.client import StackClient


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.stack)


@pytest.fixture(autouse=True)
def no_dead_letters(client: StackClient) -> Iterator[None]:
    """Fail if a test leaves anything in a dead-letter queue."""
    yield
    for name, url in client.stack.outputs.items():
        if name.endswith("DeadLetterQueueUrl"):
            found = client.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            assert (name, found["Attributes"]["ApproximateNumberOfMessages"]) == (name, "0")


@pytest.fixture
def announcements(client: StackClient) -> Iterator[Any]:
    """A queue that follows the announcements; reading it gives a model's events that came."""
    yield from following(client, "AnnouncementsTopic")


@pytest.fixture
def operations(client: StackClient) -> Iterator[Any]:
    """A queue that follows the operators' topic; reading it gives a model's events that came."""
    yield from following(client, "OperationsTopic")


def following(client: StackClient, topic_output: str) -> Iterator[Any]:
    queues, topics = client.aws("sqs"), client.aws("sns")
    url = queues.create_queue(QueueName=f"follow-{topic_output}")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = client.stack.outputs[topic_output]
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    only = {"Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
    policy = {"Version": "2012-10-17", "Statement": [allowed | only]}
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    subscription = topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    seen: list[dict[str, Any]] = []

    def read(model: str) -> list[dict[str, Any]]:
        answer = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            seen.append(json.loads(json.loads(message["Body"])["Message"]))
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        # An alarm's message is of no one model.
        return [event for event in seen if "detail" in event and event["detail"]["data"]["model"] == model]

    yield read
    topics.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    queues.delete_queue(QueueUrl=url)
