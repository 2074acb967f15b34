"""The redrive of dead letters: each is sent again, and deleted only once it is under way."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hindsight.core.errors import HindsightError

_SUFFIX = "DeadLetterQueueUrl"
_MAX_MESSAGES = 10
_ANNOUNCEMENTS = "AnnouncementDeadLetterQueue"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed stack, local or not: its outputs, and what makes clients of its AWS."""

    outputs: Mapping[str, str]
    aws: Callable[[str], Any]


class NotRedriven(HindsightError):
    """A message that cannot be sent again by machine; it stays in its queue."""


def queues(deployment: Deployment) -> list[str]:
    """List the names of the dead-letter queues of a stack."""
    return sorted(name.removesuffix("Url") for name in deployment.outputs if name.endswith(_SUFFIX))


def redrive(deployment: Deployment, queue: str) -> int:
    """Send every message of a dead-letter queue again; return how many. Raises NotRedriven.

    What reads them is idempotent: a message that is sent again and then, in a crash, not deleted does no harm.
    """
    url = deployment.outputs[f"{queue}Url"]
    source = deployment.outputs.get(queue.replace("DeadLetterQueue", "QueueUrl"))
    sent = 0
    for message in _messages(deployment, url):
        if queue == _ANNOUNCEMENTS:
            deployment.aws("sns").publish(TopicArn=deployment.outputs["AnnouncementsTopic"], Message=message["Body"])
        elif source is not None:
            deployment.aws("sqs").send_message(QueueUrl=source, MessageBody=message["Body"])
        else:
            _invoke_again(deployment, json.loads(message["Body"]))
        deployment.aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        sent += 1
    return sent


def _invoke_again(deployment: Deployment, failed: dict[str, Any]) -> None:
    """Invoke a function again with what it failed on: the event itself, or the records of a stream."""
    function = failed.get("requestContext", {}).get("functionArn")
    if function is None:
        raise NotRedriven("the message names no function")
    if "requestPayload" in failed:
        payload = failed["requestPayload"]
    elif "DDBStreamBatchInfo" in failed:
        payload = {"Records": list(_records(deployment, failed["DDBStreamBatchInfo"]))}
    else:
        raise NotRedriven("the message holds neither an event nor a place in a stream")
    name = function.split(":function:")[-1].split(":")[0]
    answer = deployment.aws("lambda").invoke(FunctionName=name, Payload=json.dumps(payload, default=_wire).encode())
    if "FunctionError" in answer:
        raise NotRedriven(f"{name} failed again: {answer['Payload'].read().decode()[:500]}")


def _records(deployment: Deployment, batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Read the records of a batch as the function gets them. Raises NotRedriven for those the stream has dropped."""
    streams = deployment.aws("dynamodbstreams")
    place = {name: batch[name] for name in ("shardId", "startSequenceNumber", "streamArn")}
    try:
        iterator = streams.get_shard_iterator(
            StreamArn=place["streamArn"],
            ShardId=place["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=place["startSequenceNumber"],
        )["ShardIterator"]
    except streams.exceptions.TrimmedDataAccessException as error:
        raise NotRedriven("a stream keeps a day; what is older, repair by docs/relabelling.md") from error
    while iterator is not None:
        page = streams.get_records(ShardIterator=iterator)
        for record in page["Records"]:
            yield {**record, "eventSourceARN": place["streamArn"]}
            if record["dynamodb"]["SequenceNumber"] == batch["endSequenceNumber"]:
                return
        iterator = page.get("NextShardIterator") if page["Records"] else None


def _messages(deployment: Deployment, url: str) -> Iterator[dict[str, Any]]:
    # Those that are there now: one that fails again comes back as another.
    asked = {"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]}
    left = int(deployment.aws("sqs").get_queue_attributes(**asked)["Attributes"]["ApproximateNumberOfMessages"])
    while left > 0:
        found = (
            deployment.aws("sqs")
            .receive_message(QueueUrl=url, MaxNumberOfMessages=min(_MAX_MESSAGES, left))
            .get("Messages", [])
        )
        if not found:
            return
        left -= len(found)
        yield from found


def _wire(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.timestamp() if hasattr(value, "timestamp") else str(value)
