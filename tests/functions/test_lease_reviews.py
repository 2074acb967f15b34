"""Tasks handed out through the handler."""

import boto3
import pytest

from functions.handle_reviews.app import handler
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.bootstrap import stores
from tests.functions.requests import Answer, paths, send
from tests.unit.labels.builders import NOON, RETENTION, prediction
from tests.unit.review.builders import configuration, sample

NAMES = ("hour-4711", "hour-4712", "hour-4713")


@pytest.fixture(autouse=True)
def queue(deployed: None) -> None:
    stores.configurations().put(configuration(), NOON)
    DynamoPredictions("predictions", boto3.client("dynamodb")).save([prediction(name) for name in NAMES], RETENTION)
    stores.review_tasks().add([sample(name, number / 60) for number, name in enumerate(NAMES)], configuration())


def lease(**query: str) -> Answer:
    return send(handler, "handle_reviews", queryStringParameters=query or None)


def test_the_sample_request_leases_the_oldest_tasks() -> None:
    status, answer = send(handler, "handle_reviews")

    assert status == 200
    assert [(task["task_id"], task["reason"], task["lease_expires_at"]) for task in answer] == [
        ("hour-4711", "audit", "2026-03-01T12:15:00.000000Z"),
        ("hour-4712", "audit", "2026-03-01T12:15:00.000000Z"),
    ]
    assert answer[0]["features"] == {"hour": "17", "temperature": 0.3}
    assert (answer[0]["prediction_id"], answer[0]["score"]) == ("hour-4711", 0.7)


def test_the_next_call_leases_further_tasks() -> None:
    send(handler, "handle_reviews")
    assert [task["task_id"] for task in lease(reviewer="bob")[1]] == ["hour-4713"]
    assert lease(reviewer="bob") == (200, [])


@pytest.mark.parametrize(
    ("query", "at_fault"),
    [
        ({}, "reviewer"),
        ({"limit": "5"}, "reviewer"),
        ({"reviewer": ""}, "reviewer"),
        ({"reviewer": "a b"}, "reviewer"),
        ({"reviewer": "x" * 129}, "reviewer"),
        ({"reviewer": "ann", "limit": "0"}, "limit"),
        ({"reviewer": "ann", "limit": "101"}, "limit"),
        ({"reviewer": "ann", "limit": "many"}, "limit"),
    ],
)
def test_a_bad_query_is_refused_by_its_name_and_leases_nothing(query: dict[str, str], at_fault: str) -> None:
    status, answer = lease(**query)

    assert (status, paths(answer)) == (400, [at_fault])
    assert len(lease(reviewer="bob", limit="100")[1]) == 3


def test_an_unknown_model_is_not_found() -> None:
    status, answer = send(handler, "handle_reviews", path="/models/nobody/review")
    assert (status, answer["error"]["code"]) == (404, "not_found")
