"""Operators' requests for reviews through the handler, onto a Firehose stream in moto."""

import json
from typing import Any

import boto3
import pytest

from functions.handle_reviews.app import handler as review
from functions.request_reviews.app import handler
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.bootstrap import stores
from hindsight.labels.joining.feedback_files import parse_feedback_line
from hindsight.labels.plan import plan_join
from hindsight.review.tasks.task import TaskState
from tests.functions import reads
from tests.functions.conftest import EVENTS
from tests.functions.requests import Answer, paths, send
from tests.functions.test_answer_reviews import sent_annotations, state
from tests.unit.labels.builders import ANNOTATION, DEMAND, MODEL, NOON, RETENTION, event, key, prediction, revision
from tests.unit.review.builders import configuration

NAMES = ("hour-4711", "hour-4712")


@pytest.fixture(autouse=True)
def office(deployed: None) -> None:
    """Two predictions that were not sampled, and a stream that writes to the lake at once."""
    stores.configurations().put(configuration(ANNOTATION, DEMAND), NOON)
    DynamoPredictions("predictions", boto3.client("dynamodb")).save([prediction(name) for name in NAMES], RETENTION)
    client: Any = boto3.client("firehose")
    destination = {"RoleARN": "arn:aws:iam::123456789012:role/write", "BucketARN": "arn:aws:s3:::lake"}
    client.create_delivery_stream(
        DeliveryStreamName="feedback", ExtendedS3DestinationConfiguration={**destination, "Prefix": "feedback/"}
    )


def reopen(task_id: str = "hour-4711", body: Any = None) -> Answer:
    """Reopen a task an hour after the sample requests."""
    asked = json.loads((EVENTS / "request_reviews.json").read_text())["requestContext"]
    later = {**asked, "requestTimeEpoch": asked["requestTimeEpoch"] + 3_600_000}
    path = f"/models/{MODEL}/review/tasks/{task_id}/reopen"
    return send(handler, "request_reviews", body or {}, path=path, requestContext=later)


def answer(value: int) -> None:
    """Lease every task to Ann, and answer the first."""
    send(review, "handle_reviews_leases", {"reviewer": "ann", "limit": 10})
    given = [{"task_id": "hour-4711", "reviewer": "ann", "value": value}]
    assert send(review, "handle_reviews_answers", {"answers": given})[0] == 202


def test_sample_request_makes_two_tasks() -> None:
    assert send(handler, "request_reviews") == (202, {"accepted": list(NAMES), "rejected": []})
    _, explained = reads.get(f"{MODEL}/predictions/hour-4711")
    shown = explained["review"]
    assert (shown["reason"], shown["selection_probability"], shown["state"]) == ("requested", None, "open")
    assert shown["request"] == {
        "actor": "key:operator",
        "reason": "the customer disputes these two",
        "at": "2026-03-01T12:02:00.000000Z",
    }


def test_unknown_prediction_and_open_task_are_named_each() -> None:
    send(handler, "request_reviews")
    status, receipt = send(handler, "request_reviews", {"prediction_ids": ["hour-4711", "nowhere"]})
    assert (status, receipt["accepted"]) == (202, [])
    assert [(row["code"], row["path"]) for row in receipt["rejected"]] == [
        ("conflict", "prediction_ids[0]"),
        ("not_found", "prediction_ids[1]"),
    ]


def test_unknown_predictions_alone_are_each_rejected_by_their_place() -> None:
    status, receipt = send(handler, "request_reviews", {"prediction_ids": ["nowhere", "never"]})
    message = "is no prediction of this model"
    assert (status, receipt) == (
        202,
        {
            "accepted": [],
            "rejected": [
                {"index": index, "code": "not_found", "message": message, "path": f"prediction_ids[{index}]"}
                for index in (0, 1)
            ],
        },
    )


def test_reopened_task_has_its_annotation_retracted_and_is_answered_anew() -> None:
    send(handler, "request_reviews")
    answer(1)
    status, shown = reopen(body={"reason": "the guidelines changed"})
    assert (status, shown["task_id"], shown["state"], shown["answers"]) == (200, "hour-4711", "open", [])
    assert state("hour-4711") is TaskState.OPEN
    answer(0)

    rows = {row["feedback_id"]: row for row in sent_annotations()}

    assert {name: row["value"] for name, row in rows.items()} == {
        "review:hour-4711": 1,
        "review:hour-4711:1:retracted": "review:hour-4711",
        "review:hour-4711:2": 0,
    }
    _, explained = reads.get(f"{MODEL}/predictions/hour-4711")
    [ended] = explained["review"]["reopenings"]
    assert (ended["actor"], ended["reason"], ended["retraction_sent"]) == (
        "key:operator",
        "the guidelines changed",
        True,
    )
    assert explained["review"]["resolved"]["value"] == 0


def test_label_of_a_retracted_annotation_is_that_of_the_other_rules() -> None:
    send(handler, "request_reviews")
    answer(0)
    reopen()
    events = [event("demand", 150, hours=0.5, prediction_id="hour-4711"), *events_of_the_stream()]
    labels, rules = stores.label_store(), revision(ANNOTATION, DEMAND)
    for one in events:
        [collection] = labels.load([key("hour-4711")])
        assert labels.commit([plan_join(collection, [one], rules)]) == set()
    _, explained = reads.get(f"{MODEL}/predictions/hour-4711")
    assert [(label["kind"], label["value"]) for label in explained["labels"]][-2:] == [("manual", 0), ("outcome", 1)]
    assert [row["feedback_id"] for row in explained["feedback"] if row["retracted"]] == ["review:hour-4711"]


def events_of_the_stream() -> list[Any]:
    lake = stores.lake()
    lines = [line for found in lake.keys("feedback/") for line in lake.read_raw_lines(found)]
    return sorted((parse_feedback_line(line) for line in lines), key=lambda one: (one.name, one.feedback_id))


@pytest.mark.parametrize(
    ("body", "status", "at_fault"),
    [
        ("{", 400, []),
        ({}, 400, ["prediction_ids"]),
        ({"prediction_ids": []}, 400, ["prediction_ids"]),
        ({"prediction_ids": ["a "]}, 400, ["prediction_ids[0]"]),
        ({"prediction_ids": ["x"], "reason": 7}, 400, ["reason"]),
        ({"prediction_ids": ["x"], "limit": 7}, 400, ["limit"]),
        ({"prediction_ids": ["x"] * 501}, 413, ["prediction_ids"]),
    ],
)
def test_bad_request_is_refused_by_its_path(body: Any, status: int, at_fault: list[str]) -> None:
    refused, shown = send(handler, "request_reviews", body)
    assert (refused, paths(shown)) == (status, at_fault)


def test_unknown_and_open_tasks_are_not_reopened() -> None:
    assert reopen()[0] == 404
    send(handler, "request_reviews")
    assert reopen()[0] == 409
    assert reopen(body={"why": "x"})[0] == 400
    assert send(handler, "request_reviews", path="/models/unknown/review/tasks")[0] == 404
    assert sent_annotations() == []
