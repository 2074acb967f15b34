"""Events as AWS writes them, and what a call of DynamoDB is about."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

Event = dict[str, Any]


def written_keys(asked: Mapping[str, Any]) -> list[tuple[str, Event]]:
    """Name the items that a call of DynamoDB writes or holds to a condition, by table."""
    if "TransactItems" in asked:
        return [found for one in asked["TransactItems"] for change in one.values() for found in written_keys(change)]
    if "RequestItems" in asked:
        return [
            (table, key_of(change.get("PutRequest", {}).get("Item") or change["DeleteRequest"]["Key"]))
            for table, changes in asked["RequestItems"].items()
            if isinstance(changes, list)
            for change in changes
        ]
    changes = {"Item", "UpdateExpression", "ConditionExpression"} & asked.keys()
    if not changes or "KeyConditionExpression" in asked:
        return []
    return [(asked["TableName"], key_of(asked.get("Item") or asked["Key"]))]


def key_of(item: Event) -> Event:
    """Take the key of an item."""
    return {"pk": item["pk"], "sk": item["sk"]}


def intended(asked: Event, table: str, key: Event) -> Event | None:
    """Find what a refused write would have put."""
    operations = [change for one in asked.get("TransactItems", [{"Put": asked}]) for change in one.values()]
    items = [found["Item"] for found in operations if "Item" in found and found["TableName"] == table]
    return next((item for item in items if key_of(item) == key), None)


def plain_item(attributes: Event) -> Event:
    """Copy an item as moto keeps it, its bytes decoded."""
    return {
        name: {"B": b64decode(value["B"])} if isinstance(value.get("B"), str) else value
        for name, value in attributes.items()
    }


def in_json(image: Event) -> Event:
    """Write an image as an event has it: bytes in base64."""
    return {
        name: {"B": b64encode(bytes(value["B"])).decode()} if isinstance(value.get("B"), bytes) else value
        for name, value in image.items()
    }


def message(body: str, number: int, queue: str) -> Event:
    """Write a message as Lambda gets it from a queue."""
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


def notification(bucket: str, key: str, size: int) -> str:
    """Write S3's notification of a new object."""
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-03-01T00:00:00.000Z",
        "s3": {
            "bucket": {"name": bucket},
            "object": {"key": quote(key), "size": size, "eTag": "0" * 32, "sequencer": "0"},
        },
    }
    return json.dumps({"Records": [record]})
