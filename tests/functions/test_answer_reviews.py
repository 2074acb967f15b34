"""Answers through the handler, onto a Firehose stream in moto."""

from typing import Any

import boto3
import pytest

from functions.handle_reviews.app import handler
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.bootstrap import labelling, stores
from hindsight.review.tasks.task import TaskState
from tests.functions import reads
from tests.functions.requests import paths, send
from tests.unit.labels.builders import MODEL, NOON, RETENTION, key, prediction
from tests.unit.review.builders import configuration, minutes, sample

ANN = "ann@example.com"
NAMES = ("hour-4711", "hour-4712", "hour-4713")


@pytest.fixture(autouse=True)
def queue(deployed: None) -> None:
    """Three tasks, all of them Ann's, and a stream that writes to the lake at once."""
    stores.configurations().put(configuration(), NOON)
    DynamoPredictions("predictions", boto3.client("dynamodb")).save([prediction(name) for name in NAMES], RETENTION)
    stores.review_tasks().add([sample(name) for name in NAMES], configuration())
    assert len(labelling.review_leasing().lease(configuration(), ANN, 3, NOON)) == 3
    client: Any = boto3.client("firehose")
    destination = {"RoleARN": "arn:aws:iam::123456789012:role/write", "BucketARN": "arn:aws:s3:::lake"}
    client.create_delivery_stream(
        DeliveryStreamName="feedback", ExtendedS3DestinationConfiguration={**destination, "Prefix": "feedback/"}
    )


def sent_annotations() -> list[dict[str, Any]]:
    lake = stores.lake()
    return [row for found in lake.keys("feedback/") for row in lake.read_lines(found)]


def state(name: str) -> TaskState:
    return stores.review_tasks().load([key(name)])[key(name)].state


def test_the_sample_request_settles_one_task_and_skips_another() -> None:
    status, answer = send(handler, "handle_reviews_answers")

    assert (status, answer) == (202, {"accepted": ["hour-4711", "hour-4712"], "rejected": []})
    [row] = sent_annotations()
    assert (row["prediction_id"], row["feedback_id"], row["name"], row["value"], row["source"]) == (
        "hour-4711",
        "review:hour-4711",
        "annotation",
        1,
        "review",
    )
    assert row["received_at"] == "2026-03-01T12:02:00.000000Z"
    assert (state("hour-4711"), state("hour-4712")) == (TaskState.RESOLVED, TaskState.OPEN)


def test_operators_see_the_comment_where_the_prediction_is_explained() -> None:
    send(handler, "handle_reviews_answers")

    status, explained = reads.get(f"{MODEL}/predictions/hour-4711")

    assert status == 200
    assert [(given["reviewer"], given["comment"]) for given in explained["review"]["answers"]] == [
        (ANN, "rain, and still busy")
    ]


def test_answer_to_an_overlapping_task_is_changed_without_a_lease() -> None:
    stores.configurations().put(configuration(overlap=2), NOON)
    DynamoPredictions("predictions", boto3.client("dynamodb")).save([prediction("shared")], RETENTION)
    stores.review_tasks().add([sample("shared")], configuration(overlap=2))
    for reviewer in (ANN, "bob"):
        labelling.review_leasing().lease(configuration(overlap=2), reviewer, 1, NOON)

    def say(reviewer: str, value: int) -> int:
        given = {"answers": [{"task_id": "shared", "reviewer": reviewer, "value": value}]}
        return send(handler, "handle_reviews_answers", given)[0]

    assert [say(ANN, 1), say(ANN, 0), say("bob", 0), say(ANN, 1)] == [202, 202, 202, 409]
    assert [(row["prediction_id"], row["value"]) for row in sent_annotations()] == [("shared", 0)]


def test_repeated_request_is_accepted_without_an_event() -> None:
    send(handler, "handle_reviews_answers")
    assert send(handler, "handle_reviews_answers")[0] == 202
    assert len(sent_annotations()) == 1


def test_an_answer_among_others_is_rejected_alone() -> None:
    good = {"task_id": "hour-4713", "reviewer": ANN, "value": 0}
    status, answer = send(
        handler, "handle_reviews_answers", {"answers": [{**good, "task_id": "hour-4711", "reviewer": "bob"}, good]}
    )
    assert (status, answer["accepted"]) == (202, ["hour-4713"])
    assert [(row["index"], row["code"], row["path"]) for row in answer["rejected"]] == [
        (0, "conflict", "answers[0].task_id")
    ]


@pytest.mark.parametrize(
    ("item", "status", "code", "path"),
    [
        ({"task_id": "hour-4711", "reviewer": "bob", "value": 1}, 409, "conflict", "answers[0].task_id"),
        ({"task_id": "hour-9999", "reviewer": ANN, "value": 1}, 404, "not_found", "answers[0].task_id"),
        ({"task_id": "hour-4711", "reviewer": ANN, "value": 9}, 400, "invalid", "answers[0].value"),
        ({"task_id": "hour-4711", "reviewer": ANN}, 400, "invalid", "answers[0].value"),
        ({"task_id": "hour-4711", "reviewer": "a ", "value": 1}, 400, "invalid", "answers[0].reviewer"),
        ({"task_id": "hour-4711", "value": 1}, 409, "conflict", "answers[0].task_id"),
    ],
)
def test_a_single_answer_that_is_refused_has_a_status_of_its_own(
    item: dict[str, Any], status: int, code: str, path: str
) -> None:
    answered, answer = send(handler, "handle_reviews_answers", {"answers": [item]})
    assert (answered, answer["error"]["code"], paths(answer)) == (status, code, [path])
    assert sent_annotations() == []


def test_after_the_lease_has_lapsed_the_answer_is_409() -> None:
    stores.configurations().put(configuration(lease="PT1M"), NOON)
    DynamoPredictions("predictions", boto3.client("dynamodb")).save([prediction("late")], RETENTION)
    stores.review_tasks().add([sample("late")], configuration())
    [held] = labelling.review_leasing().lease(configuration(lease="PT1M"), ANN, 1, NOON)
    assert held.until < minutes(2)
    given = {"answers": [{"task_id": "late", "reviewer": ANN, "value": 1}]}
    assert send(handler, "handle_reviews_answers", given)[0] == 409


@pytest.mark.parametrize(
    ("body", "status", "at_fault"),
    [
        ("{", 400, []),
        ({"answer": []}, 400, ["answer"]),
        ({"answers": []}, 400, ["answers"]),
        ({"answers": [7]}, 400, ["answers[0]"]),
        ({"answers": [{}] * 501}, 413, ["answers"]),
        ('{"answers": "' + "x" * 1024 * 1024 + '"}', 413, []),
    ],
)
def test_a_bad_request_is_refused_by_its_path(body: Any, status: int, at_fault: list[str]) -> None:
    answered, answer = send(handler, "handle_reviews_answers", body)
    assert (answered, paths(answer)) == (status, at_fault)


def test_an_unknown_model_is_not_found() -> None:
    assert send(handler, "handle_reviews_answers", path="/models/unknown/review/answers")[0] == 404
