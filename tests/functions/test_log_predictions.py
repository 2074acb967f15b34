"""Predictions made elsewhere through their handler."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.log_predictions.app import handler
from hindsight.bootstrap import clients, labelling, stores
from hindsight.entities.prediction import PredictionKey
from hindsight.testing.builders.configuration import configuration
from tests.functions.requests import paths, send


@pytest.fixture(autouse=True)
def model(feedback_stream: None) -> None:
    stores.configurations().put(configuration(), datetime(2026, 1, 1, tzinfo=UTC))


def bad(**changes: Any) -> dict[str, Any]:
    body = {"prediction_id": "p", "features": {"colour": "hunter2"}, "score": 0.1, "model_version": "v"}
    return {**body, "entity_id": "swordfish", **changes}


def quarantined() -> list[dict[str, Any]]:
    """Join the files that came through the stream; list the rows of the quarantine."""
    lake = stores.lake()
    for key in list(lake.keys("feedback/")):
        labelling.feedback_files().join(key)
    return [row for key in lake.keys("quarantine/") for row in lake.read_lines(key)]


def test_the_sample_request_is_stored_when_it_is_acknowledged() -> None:
    status, answer = send(handler, "log_predictions")

    keys = [PredictionKey("bike-demand", name) for name in ("hour-4711", "hour-4712")]
    kept = stores.label_store().predictions(keys)
    assert (status, answer) == (202, {"accepted": ["hour-4711", "hour-4712"], "rejected": []})
    assert [kept[key].decision for key in keys] == [1, 0]
    assert kept[keys[0]].entity_id == "station-12"
    assert kept[keys[1]].outcome_due_at == datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_the_same_call_again_is_accepted_and_another_body_is_a_conflict() -> None:
    first = send(handler, "log_predictions")
    body = {"predictions": [{"prediction_id": "hour-4711", "features": {}, "score": 0.1, "model_version": "v2"}]}

    assert send(handler, "log_predictions") == first
    status, answer = send(handler, "log_predictions", body)
    assert (status, answer["accepted"]) == (202, [])
    assert [(row["index"], row["code"]) for row in answer["rejected"]] == [(0, "conflict")]


def test_a_prediction_that_cannot_be_stored_is_refused_by_its_path_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = send(handler, "log_predictions", {"predictions": [bad()]})

    assert (status, paths(answer)) == (400, ["predictions[0].features.colour"])
    (row,) = quarantined()
    assert (row["kind"], row["code"], row["path"]) == ("prediction", "invalid", "features.colour")
    assert json.loads(row["text"]) == bad()
    logged = "".join(capsys.readouterr())
    assert "hunter2" not in logged
    assert "swordfish" not in logged


def test_rejected_predictions_of_a_call_are_kept_with_their_reasons() -> None:
    good = {"prediction_id": "good", "features": {}, "score": 0.1, "model_version": "v"}
    body = {"predictions": [good, {**good, "prediction_id": "bad", "score": 2}, {**good, "score": 0.2}]}

    status, answer = send(handler, "log_predictions", body)

    assert (status, answer["accepted"]) == (202, ["good"])
    assert sorted((row["code"], row["kind"], json.loads(row["text"])["score"]) for row in quarantined()) == [
        ("conflict", "prediction", 0.2),
        ("invalid", "prediction", 2),
    ]


def test_call_whose_rejects_the_stream_does_not_take_is_unavailable_and_the_same_again_is_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = {"predictions": [bad(features={}), bad(prediction_id="bad")]}
    taking = clients.client("firehose").put_record_batch

    def refusing(**request: Any) -> dict[str, Any]:
        refused = [{"ErrorCode": "ServiceUnavailableException"} for _ in request["Records"]]
        return {"FailedPutCount": len(refused), "RequestResponses": refused}

    monkeypatch.setattr(stores.feedback_stream(), "_sleep", lambda _: None)
    monkeypatch.setattr(clients.client("firehose"), "put_record_batch", refusing)
    status, answer = send(handler, "log_predictions", body)
    assert (status, answer["error"]["code"]) == (503, "unavailable")
    assert quarantined() == []
    kept = stores.label_store().predictions([PredictionKey("bike-demand", "p")])

    monkeypatch.setattr(clients.client("firehose"), "put_record_batch", taking)
    status, answer = send(handler, "log_predictions", body)

    assert (status, answer["accepted"]) == (202, ["p"])
    assert stores.label_store().predictions([PredictionKey("bike-demand", "p")]) == kept != {}
    assert [json.loads(row["text"])["prediction_id"] for row in quarantined()] == ["bad"]


def test_a_prediction_as_wide_as_a_thousand_columns_is_stored() -> None:
    wide = configuration(
        features={f"column {number}": {"type": "numeric"} for number in range(1000)},
        monitoring={},
    )
    stores.configurations().put(wide, datetime(2026, 1, 2, tzinfo=UTC))
    row = {f"column {number}": number / 7 for number in range(1000)}
    bodies = [
        {"prediction_id": f"p-{place}", "features": row, "score": 0.1, "model_version": "v"} for place in range(90)
    ]

    status, answer = send(handler, "log_predictions", json.dumps({"predictions": bodies}))

    assert (status, len(answer["accepted"])) == (202, 90)
