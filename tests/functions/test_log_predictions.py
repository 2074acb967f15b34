"""Predictions made elsewhere through their handler."""

import json
from datetime import UTC, datetime

import pytest

from functions.log_predictions.app import handler
from hindsight.bootstrap import stores
from hindsight.entities.prediction import PredictionKey
from hindsight.testing.builders.configuration import configuration
from tests.functions.requests import paths, send


@pytest.fixture(autouse=True)
def model(deployed: None) -> None:
    stores.configurations().put(configuration(), datetime(2026, 1, 1, tzinfo=UTC))


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


def test_a_prediction_that_cannot_be_stored_is_refused_by_its_path() -> None:
    bad = {"prediction_id": "p", "features": {"colour": "red"}, "score": 0.1, "model_version": "v"}

    status, answer = send(handler, "log_predictions", {"predictions": [bad]})

    assert (status, paths(answer)) == (400, ["predictions[0].features.colour"])


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
