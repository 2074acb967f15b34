"""Tasks handed out through the handler."""

from typing import Any

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


def lease(**body: Any) -> Answer:
    return send(handler, "handle_reviews_leases", body)


def queue_of(**query: str) -> Answer:
    return send(handler, "handle_reviews", queryStringParameters=query or None)


def test_sample_request_leases_the_oldest_tasks() -> None:
    status, answer = send(handler, "handle_reviews_leases")

    assert status == 200
    assert [(task["task_id"], task["reason"], task["lease_expires_at"]) for task in answer] == [
        ("hour-4711", "audit", "2026-03-01T12:15:00.000000Z"),
        ("hour-4712", "audit", "2026-03-01T12:15:00.000000Z"),
    ]
    assert answer[0]["features"] == {"hour": "17", "temperature": 0.3}
    assert answer[0]["prediction_id"] == "hour-4711"


def test_score_and_decision_are_shown_only_where_review_is_not_blind() -> None:
    [hidden] = lease(limit=1)[1]
    stores.configurations().put(configuration(blind=False), NOON)
    [shown] = lease(limit=1)[1]
    assert not {"score", "decision", "probabilities"} & hidden.keys()
    assert (shown["score"], shown["decision"]) == (0.7, 1)


def test_queue_shows_counts_guidelines_own_tasks_and_progress_and_leases_nothing() -> None:
    stores.configurations().put(configuration(guidelines="Count rain as rain."), NOON)
    send(handler, "handle_reviews_leases")
    lease(reviewer="bob")
    answer_call = {"answers": [{"task_id": "hour-4711", "reviewer": "ann@example.com", "skip": True}]}
    send(handler, "handle_reviews_answers", answer_call)

    status, queue = send(handler, "handle_reviews")

    assert (status, queue["reviewer"], queue["guidelines"]) == (200, "ann@example.com", "Count rain as rain.")
    assert queue["counts"] == {"open": 3, "free": 1, "leased": 2, "adjudication": 0, "capped": False}
    assert [task["task_id"] for task in queue["tasks"]] == ["hour-4712"]
    assert queue["progress"] == {
        "held": 1,
        "done": 1,
        "since": "2026-02-28T12:00:00.000000Z",
        "agreement": None,
    }
    assert (queue["task"], queue["features"][0]) == ("binary", {"name": "hour", "type": "categorical"})
    assert send(handler, "handle_reviews")[1] == queue


def test_callers_without_a_name_are_one_reviewer() -> None:
    assert send(handler, "handle_reviews_leases", {"limit": 1})[0] == 200
    status, queue = queue_of()
    assert (status, queue["reviewer"], [task["task_id"] for task in queue["tasks"]]) == (
        200,
        "key:reviewer",
        ["hour-4711"],
    )


def test_the_next_call_leases_further_tasks() -> None:
    send(handler, "handle_reviews_leases")
    assert [task["task_id"] for task in lease(reviewer="bob")[1]] == ["hour-4713"]
    assert lease(reviewer="bob") == (200, [])


@pytest.mark.parametrize(
    ("body", "at_fault"),
    [
        ({"reviewer": ""}, "reviewer"),
        ({"reviewer": "a "}, "reviewer"),
        ({"reviewer": "x" * 129}, "reviewer"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "5"}, "limit"),
        ({"task_id": "hour-4711"}, "task_id"),
    ],
)
def test_invalid_request_is_refused_by_its_path_and_leases_nothing(body: dict[str, Any], at_fault: str) -> None:
    status, answer = lease(**body)

    assert (status, paths(answer)) == (400, [at_fault])
    assert len(lease(reviewer="bob", limit=100)[1]) == 3


def test_queue_of_an_invalid_reviewer_is_refused() -> None:
    status, answer = queue_of(reviewer="a ")
    assert (status, paths(answer)) == (400, ["reviewer"])


@pytest.mark.parametrize(("event", "path"), [("handle_reviews", "review"), ("handle_reviews_leases", "review/leases")])
def test_unknown_model_is_not_found(event: str, path: str) -> None:
    status, answer = send(handler, event, path=f"/models/unknown/{path}")
    assert (status, answer["error"]["code"]) == (404, "not_found")


def test_reviewers_see_the_models_that_people_review_and_their_queues() -> None:
    answer = {"resource": "/review", "path": "/review", "pathParameters": None, "queryStringParameters": None}
    status, listed = send(handler, "handle_reviews", **answer)
    counts = {"open": 3, "free": 3, "leased": 0, "adjudication": 0, "capped": False}
    assert (status, listed) == (200, {"models": [{"model": "bike-demand", "task": "binary", "counts": counts}]})
