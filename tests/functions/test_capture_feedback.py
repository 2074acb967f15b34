"""Feedback through its handler, onto a Firehose stream in moto."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.capture_feedback.app import handler
from hindsight.bootstrap import stores
from hindsight.testing.builders.configuration import configuration
from tests.functions.requests import paths, send


@pytest.fixture(autouse=True)
def model(feedback_stream: None) -> None:
    """Configure the model of the sample."""
    stores.configurations().put(configuration(), datetime(2026, 1, 1, tzinfo=UTC))


def captured() -> list[dict[str, Any]]:
    lake = stores.lake()
    return [row for key in lake.keys("feedback/") for row in lake.read_lines(key) if "rejected" not in row]


def rejected() -> list[dict[str, Any]]:
    lake = stores.lake()
    return [row for key in lake.keys("feedback/") for row in lake.read_lines(key) if "rejected" in row]


def test_the_sample_request_is_durable_when_it_is_acknowledged() -> None:
    status, answer = send(handler, "capture_feedback")

    assert (status, answer) == (202, {"accepted": ["rides-4711", "thumb-4711", "shown-4711"], "rejected": []})
    assert [row["feedback_id"] for row in captured()] == answer["accepted"]


def test_a_bad_event_among_good_ones_is_rejected_alone() -> None:
    good = {"feedback_id": "f-1", "prediction_id": "p-1", "name": "thumb", "value": "up"}

    status, answer = send(handler, "capture_feedback", {"events": [good, {**good, "feedback_id": "f-2", "value": 3}]})

    assert (status, answer["accepted"]) == (202, ["f-1"])
    assert [(row["index"], row["code"], row["path"]) for row in answer["rejected"]] == [
        (1, "invalid", "events[1].value")
    ]
    assert [row["feedback_id"] for row in captured()] == ["f-1"]
    assert [(row["rejected"]["path"], row["model"]) for row in rejected()] == [("value", "bike-demand")]


def test_a_call_without_a_valid_event_is_kept_too(capsys: pytest.CaptureFixture[str]) -> None:
    status, _ = send(handler, "capture_feedback", {"events": [{"feedback_id": "hunter2"}, 7]})

    assert status == 400
    assert [row["text"] for row in rejected()] == ['{"feedback_id":"hunter2"}', "7"]
    assert "hunter2" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("body", "status", "at_fault"),
    [
        ("{", 400, []),
        ("[]", 400, [""]),
        ('{"events": [NaN]}', 400, ["events[0]"]),
        ({"event": []}, 400, ["event"]),
        ({}, 400, ["events"]),
        ({"events": []}, 400, ["events"]),
        ({"events": {}}, 400, ["events"]),
        ({"events": [7]}, 400, ["events[0]"]),
        ({"events": [{"feedback_id": "f", "prediction_id": "p"}]}, 400, ["events[0].name"]),
        ({"events": [{}] * 501}, 413, ["events"]),
        ('{"events": "' + "x" * 1024 * 1024 + '"}', 413, []),
    ],
)
def test_a_bad_request_is_refused_by_its_path_and_takes_nothing(body: Any, status: int, at_fault: list[str]) -> None:
    answered, answer = send(handler, "capture_feedback", body)

    assert (answered, paths(answer)) == (status, at_fault)
    assert captured() == []


def test_only_json_is_read() -> None:
    assert send(handler, "capture_feedback", content_type="text/plain")[0] == 415


@pytest.mark.parametrize("name", ["unknown", "no%2Fslash", "%23models", "a b", "x" * 200])
def test_an_unknown_model_is_not_found(name: str) -> None:
    status, answer = send(handler, "capture_feedback", path=f"/models/{name}/feedback")

    assert (status, answer["error"]["code"]) == (404, "not_found")


def test_a_body_in_base64_is_read_all_the_same() -> None:
    body = base64.b64encode(b'{"events": []}').decode()

    assert paths(send(handler, "capture_feedback", body, isBase64Encoded=True)[1]) == ["events"]
