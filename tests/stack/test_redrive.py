"""Dead letters of each kind of queue are sent again and have their effect."""

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hindsight.adapters.jobs_table.job_table import DynamoJobs
from hindsight.core.jobs import Job, JobKind
from hindsight.core.times import parse_time
from hindsight.profiles.logs.hourly import window_profile
from hindsight.testing.builders.configuration import document
from local.client import StackClient
from local.redrive import Deployment, NotRedriven, queues, redrive
from tests.stack.waiting import eventually

MODEL = "redriven"
MADE = "2027-09-01T12:00:00Z"
DAY = parse_time("2027-09-01T00:00:00Z")


def of(client: StackClient) -> Deployment:
    return Deployment(client.stack.outputs, client.aws)


def give_up(client: StackClient, queue: str, body: dict[str, Any]) -> None:
    client.aws("sqs").send_message(QueueUrl=client.stack.outputs[f"{queue}Url"], MessageBody=json.dumps(body))


def logged(client: StackClient, prediction_id: str) -> None:
    client.call("PUT", f"models/{MODEL}", key="operator", json={**document(), "model": MODEL})
    row = {"prediction_id": prediction_id, "features": {"hour": "17", "temperature": 0.3}, "score": 0.5}
    made = {**row, "model_version": "v", "occurred_at": MADE}
    client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": [made]})


def written_untold(client: StackClient, key: str, row: dict[str, Any]) -> None:
    """Write an object without a notification: the embedded AWS announces no copies."""
    content, bucket = json.dumps(row).encode(), client.stack.outputs["LakeBucket"]
    client.lake.write_bytes("lost/file", gzip.compress(content) if key.endswith(".gz") else content, "text/plain")
    client.aws("s3").copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": "lost/file"})
    client.lake.delete("lost/file")


def labels(client: StackClient, prediction_id: str) -> list[Any]:
    explained = client.call("GET", f"models/{MODEL}/predictions/{prediction_id}", key="operator")
    return [label["value"] for label in explained["labels"]]


def test_a_feedback_file_that_was_given_up_on_is_joined_after_a_redrive(client: StackClient) -> None:
    logged(client, "p-file")
    key = "feedback/date=2027-09-01/given-up-on"
    event = {"model": MODEL, "prediction_id": "p-file", "feedback_id": "f", "name": "demand", "value": 150}
    row = {**event, "occurred_at": MADE, "received_at": MADE, "body_digest": "d"}
    written_untold(client, key, row)
    give_up(client, "FeedbackFilesDeadLetterQueue", {"Records": [{"s3": {"object": {"key": key}}}]})
    assert redrive(of(client), "FeedbackFilesDeadLetterQueue") == 1
    assert eventually(lambda: labels(client, "p-file")) == [1]


def test_an_uploaded_file_that_was_given_up_on_is_imported_after_a_redrive(client: StackClient) -> None:
    logged(client, "p-past")
    key = f"imports/model={MODEL}/feedback/given-up-on.jsonl"
    event = {"feedback_id": "past", "prediction_id": "p-past", "name": "demand", "value": 150, "occurred_at": MADE}
    written_untold(client, key, event)
    record = {"eventTime": MADE, "s3": {"object": {"key": key, "sequencer": "1"}}}
    give_up(client, "ImportFilesDeadLetterQueue", {"Records": [record]})
    assert redrive(of(client), "ImportFilesDeadLetterQueue") == 1
    assert eventually(lambda: labels(client, "p-past")) == [1]


def test_a_log_object_that_was_given_up_on_is_profiled_after_a_redrive(client: StackClient) -> None:
    logged(client, "p-profiled")
    [archived, *_] = eventually(lambda: list(client.lake.keys(f"predictions/model={MODEL}/")))
    row = {**next(client.lake.read_lines(archived)), "occurred_at": "2027-09-02T12:00:00Z"}
    key = f"predictions/model={MODEL}/date=2027-09-02/given-up-on.jsonl.gz"
    written_untold(client, key, row)
    give_up(client, "LogObjectsDeadLetterQueue", {"Records": [{"s3": {"object": {"key": key}}}]})
    assert redrive(of(client), "LogObjectsDeadLetterQueue") == 1

    def profiled() -> list[int]:
        found = window_profile(client.lake, MODEL, DAY + timedelta(days=1), DAY + timedelta(days=2))
        return [profile.rows for profile in found.by_version.values()]

    assert eventually(profiled) == [1]


@pytest.mark.parametrize(
    ("kind", "queue"), [(JobKind.REPLAY, "ReplayDeadLetterQueue"), (JobKind.ERASURE, "ErasureDeadLetterQueue")]
)
def test_a_job_that_was_given_up_on_goes_on_after_a_redrive(client: StackClient, kind: JobKind, queue: str) -> None:
    logged(client, "p-job")
    jobs = DynamoJobs(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    asked = {"entity_id": "unknown", "subject": "digest"} if kind is JobKind.ERASURE else {}
    name = f"{kind}-given-up-on"
    jobs.start(Job(kind=kind, model=MODEL, job_id=name, at=DAY, started_at=DAY, request=asked))
    give_up(client, queue, {"model": MODEL, "job_id": name})
    assert redrive(of(client), queue) == 1
    assert eventually(lambda: (job := jobs.load(MODEL, name)) and job.is_over)


def test_an_invocation_that_was_given_up_on_is_made_again(client: StackClient) -> None:
    function = client.aws("lambda").get_function(FunctionName=client.stack.outputs["CloseWindowsFunction"])
    event = {"source": "aws.scheduler", "time": MADE, "detail": {}}
    arn = function["Configuration"]["FunctionArn"]
    give_up(
        client,
        "InvocationDeadLetterQueue",
        {"requestContext": {"functionArn": arn}, "requestPayload": event, "responseContext": {"statusCode": 200}},
    )
    assert redrive(of(client), "InvocationDeadLetterQueue") == 1
    assert redrive(of(client), "InvocationDeadLetterQueue") == 0


def test_message_that_cannot_be_sent_again_stays_and_is_reported(client: StackClient) -> None:
    give_up(client, "InvocationDeadLetterQueue", {"what": "unknown"})
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


def test_abandoned_announcement_is_sent_again(client: StackClient, announcements: Any) -> None:
    event = {"detail-type": "ModelPromoted", "detail": {"data": {"model": MODEL}}}
    give_up(client, "AnnouncementDeadLetterQueue", event)
    assert redrive(of(client), "AnnouncementDeadLetterQueue") == 1
    assert eventually(lambda: announcements(MODEL)) == [event]


def test_every_queue_of_dead_letters_is_among_those_redriven_here(client: StackClient) -> None:
    assert {f'"{queue}"' in Path(__file__).read_text(encoding="utf-8") for queue in queues(of(client))} == {True}
