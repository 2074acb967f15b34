"""What was given up on is sent again, of each kind of dead-letter queue, and has its effect."""

import json
from typing import Any

import pytest

from local.client import StackClient
from local.redrive import Deployment, NotRedriven, queues, redrive
from tests.stack.waiting import eventually
from tests.unit.configuration.example import document

MODEL = "redriven"
MADE = "2027-09-01T12:00:00Z"


def of(client: StackClient) -> Deployment:
    return Deployment(client.stack.outputs, client.aws)


def give_up(client: StackClient, queue: str, body: dict[str, Any]) -> None:
    client.aws("sqs").send_message(QueueUrl=client.stack.outputs[f"{queue}Url"], MessageBody=json.dumps(body))


def logged(client: StackClient, prediction_id: str) -> None:
    client.call("PUT", f"models/{MODEL}", key="operator", json={**document(), "model": MODEL})
    row = {"prediction_id": prediction_id, "features": {"hour": "17", "temperature": 0.3}, "score": 0.5}
    made = {**row, "model_version": "v", "occurred_at": MADE}
    client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": [made]})


def labels(client: StackClient, prediction_id: str) -> list[Any]:
    explained = client.call("GET", f"models/{MODEL}/predictions/{prediction_id}", key="operator")
    return [label["value"] for label in explained["labels"]]


def test_a_feedback_file_that_was_given_up_on_is_joined_after_a_redrive(client: StackClient) -> None:
    logged(client, "p-file")
    key = "feedback/date=2027-09-01/given-up-on"
    event = {"model": MODEL, "prediction_id": "p-file", "feedback_id": "f", "name": "demand", "value": 150}
    row = {**event, "occurred_at": MADE, "received_at": MADE, "body_digest": "d"}
    # Under another prefix nobody is told of it: as if all deliveries had failed.
    client.lake.write_bytes("lost/file", json.dumps(row).encode(), "application/x-ndjson")
    client.aws("s3").copy_object(
        Bucket=client.stack.outputs["LakeBucket"],
        Key=key,
        CopySource={"Bucket": client.stack.outputs["LakeBucket"], "Key": "lost/file"},
    )
    give_up(client, "FeedbackFilesDeadLetterQueue", {"Records": [{"s3": {"object": {"key": key}}}]})
    assert redrive(of(client), "FeedbackFilesDeadLetterQueue") == 1
    assert eventually(lambda: labels(client, "p-file")) == [1]
    client.lake.delete("lost/file")


def test_an_invocation_that_was_given_up_on_is_made_again(client: StackClient) -> None:
    function = client.aws("lambda").get_function(FunctionName=client.stack.outputs["MatureLabelsFunction"])
    event = {"source": "aws.scheduler", "time": MADE, "detail": {}}
    arn = function["Configuration"]["FunctionArn"]
    give_up(
        client,
        "InvocationDeadLetterQueue",
        {"requestContext": {"functionArn": arn}, "requestPayload": event, "responseContext": {"statusCode": 200}},
    )
    assert redrive(of(client), "InvocationDeadLetterQueue") == 1
    assert redrive(of(client), "InvocationDeadLetterQueue") == 0


def test_what_cannot_be_sent_again_stays_and_is_told(client: StackClient) -> None:
    give_up(client, "InvocationDeadLetterQueue", {"what": "nobody knows"})
    with pytest.raises(NotRedriven, match="names no function"):
        redrive(of(client), "InvocationDeadLetterQueue")
    client.aws("sqs").purge_queue(QueueUrl=client.stack.outputs["InvocationDeadLetterQueueUrl"])


def test_the_records_of_a_stream_that_were_given_up_on_are_archived(client: StackClient) -> None:
    logged(client, "p-stream")
    streams, tables = client.aws("dynamodbstreams"), client.aws("dynamodb")
    described = tables.describe_table(TableName=client.stack.outputs["PredictionsTable"])["Table"]
    stream = described["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][-1]["ShardId"]
    asked = {"StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator, mine = streams.get_shard_iterator(**asked)["ShardIterator"], []
    while not mine:
        page = streams.get_records(ShardIterator=iterator, Limit=1000)
        assert page["Records"], "the prediction is not in the stream"
        mine = [one for one in page["Records"] if one["dynamodb"]["Keys"]["pk"]["S"] == f"{MODEL}#p-stream"]
        iterator = page["NextShardIterator"]
    place = mine[0]["dynamodb"]["SequenceNumber"]
    eventually(lambda: list(client.lake.keys(f"predictions/model={MODEL}/")))
    for key in list(client.lake.keys(f"predictions/model={MODEL}/")):
        client.lake.delete(key)
    function = client.aws("lambda").get_function(FunctionName=client.stack.outputs["ArchivePredictionsFunction"])
    batch = {"shardId": shard, "startSequenceNumber": place, "endSequenceNumber": place, "streamArn": stream}
    arn = function["Configuration"]["FunctionArn"]
    give_up(client, "StreamDeadLetterQueue", {"requestContext": {"functionArn": arn}, "DDBStreamBatchInfo": batch})
    assert redrive(of(client), "StreamDeadLetterQueue") == 1
    archived = [
        row["prediction_id"]
        for key in client.lake.keys(f"predictions/model={MODEL}/")
        for row in client.lake.read_lines(key)
    ]
    assert "p-stream" in archived


def test_an_announcement_that_was_given_up_on_is_told_again(client: StackClient, announcements: Any) -> None:
    event = {"detail-type": "ModelPromoted", "detail": {"data": {"model": MODEL}}}
    give_up(client, "AnnouncementDeadLetterQueue", event)
    assert redrive(of(client), "AnnouncementDeadLetterQueue") == 1
    assert eventually(lambda: announcements(MODEL)) == [event]


def test_every_queue_of_dead_letters_can_be_named(client: StackClient) -> None:
    assert len(queues(of(client))) == 7
