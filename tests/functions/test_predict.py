"""Predict calls through their handler: the version that serves answers, and what it said is stored."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from functions.get_model.app import handler as show
from functions.log_predictions.app import handler as log
from functions.predict.app import handler
from hindsight.adapters.aws.s3_lake import S3Lake
from hindsight.bootstrap import stores
from hindsight.entities.prediction import PredictionKey
from hindsight.registry.moves import AuditInfo, roll_back, start_rollout
from hindsight.registry.pointer import RolloutMode
from hindsight.rollout.deployment import servable
from hindsight.testing.builders.configuration import configuration
from tests.functions.conftest import EVENTS, Context
from tests.functions.requests import Answer, paths, send
from tests.functions.served import serve_version
from tests.ports import forget_ports

MODEL = "bike-demand"
FEATURES = {"hour": "9", "temperature": 0.4, "holiday": False}


@pytest.fixture(autouse=True)
def model(deployed: None) -> None:
    stores.configurations().put(configuration(), datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def served() -> str:
    return serve_version(1)


def predict(*instances: Any) -> Answer:
    return send(handler, "predict", {"instances": list(instances)})


def stored() -> int:
    count: int = boto3.client("dynamodb").scan(TableName="predictions", Select="COUNT")["Count"]
    return count


def test_before_the_first_deployment_nothing_can_be_predicted() -> None:
    status, answer = send(handler, "predict")

    assert (status, answer["error"]["code"]) == (409, "no_model")
    assert stored() == 0


def test_sample_request_is_answered_and_stored_alike(served: str) -> None:
    status, answer = send(handler, "predict")

    assert status == 200
    first, second = answer["predictions"]
    assert first["prediction_id"] == "hour-4713"
    assert {row["model_version"] for row in answer["predictions"]} == {served}
    keys = [PredictionKey(MODEL, row["prediction_id"]) for row in (first, second)]
    kept = stores.label_store().predictions(keys)
    assert [(kept[key].decision, kept[key].score) for key in keys] == [
        (row["decision"], pytest.approx(row["score"])) for row in (first, second)
    ]
    assert kept[keys[0]].entity_id == "station-12"


def test_the_same_instance_again_gets_its_first_answer_also_from_a_newer_version(served: str) -> None:
    first = predict({"prediction_id": "p-1", "features": FEATURES})
    assert predict({"prediction_id": "p-1", "features": FEATURES}) == first

    newer = serve_version(2, flip=True)

    assert predict({"prediction_id": "p-1", "features": FEATURES}) == first
    _, answer = predict({"prediction_id": "p-2", "features": FEATURES})
    assert answer["predictions"][0]["model_version"] == newer
    assert answer["predictions"][0]["decision"] != first[1]["predictions"][0]["decision"]


def test_serving_version_is_given_all_it_reads_after_the_configuration_changed(served: str) -> None:
    unchanged = predict({"prediction_id": "p-1", "features": FEATURES})[1]["predictions"][0]
    hour, temperature = {"type": "numeric"}, {"type": "numeric"}
    changed = configuration(features={"hour": hour, "temperature": temperature}, monitoring={})
    stores.configurations().put(changed, datetime(2026, 1, 2, tzinfo=UTC))
    forget_ports()

    _, answer = predict({"prediction_id": "p-2", "features": FEATURES})
    status, shown = send(show, "get_model", path=f"/models/{MODEL}")

    (again,) = answer["predictions"]
    assert (again["score"], again["model_version"]) == (unchanged["score"], served)
    kept = stores.label_store().predictions([PredictionKey(MODEL, "p-2")])
    assert dict(kept[PredictionKey(MODEL, "p-2")].features) == FEATURES
    assert (status, shown["kept_features"]) == (200, {"hour": "categorical", "holiday": "boolean"})
    logged = {"predictions": [{"features": FEATURES, "score": 0.5, "model_version": "elsewhere"}]}
    assert send(log, "log_predictions", logged)[0] == 202
    assert paths(predict({"features": {**FEATURES, "holiday": "no"}})[1]) == ["instances[0].features.holiday"]


def ping() -> dict[str, Any]:
    event = json.loads((EVENTS / "predict_keep_warm").with_suffix(".json").read_text())
    return handler(event, Context())


def test_scheduled_event_loads_champions_so_that_the_next_call_reads_no_artefact(
    served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ping() == {"models": 1, "failures": {}}

    with monkeypatch.context() as patched:
        patched.setattr(S3Lake, "read_bytes", None)
        status, answer = predict({"prediction_id": "p-1", "features": FEATURES})

    assert (status, answer["predictions"][0]["model_version"]) == (200, served)


def test_scheduled_event_before_the_first_deployment_warms_up_nothing() -> None:
    assert ping() == {"models": 1, "failures": {}}
    assert stored() == 0


def test_one_bad_instance_is_named_by_its_path_and_nothing_is_stored(served: str) -> None:
    good, bad = {"features": FEATURES}, {"features": {**FEATURES, "temperature": "warm"}}

    status, answer = predict(good, bad)

    assert (status, paths(answer)) == (400, ["instances[1].features.temperature"])
    assert stored() == 0


def test_a_body_without_instances_is_refused(served: str) -> None:
    for body in ({}, {"instances": []}, {"instances": {}}, {"instances": [1]}, [], {"rows": []}):
        status, answer = send(handler, "predict", body)
        assert (status, answer["error"]["code"]) == (400, "invalid"), body
    assert stored() == 0


def test_an_id_used_for_another_instance_is_a_conflict(served: str) -> None:
    predict({"prediction_id": "p-1", "features": FEATURES})

    status, answer = predict({"prediction_id": "p-1", "features": {**FEATURES, "temperature": 0.9}})

    assert (status, answer["error"]["code"], paths(answer)) == (409, "conflict", ["instances[0].prediction_id"])


def test_an_unknown_model_is_404() -> None:
    status, answer = send(handler, "predict", path="/models/unknown/predict", pathParameters={"model": "unknown"})

    assert (status, answer["error"]["code"]) == (404, "not_found")


def test_an_artefact_that_was_altered_is_ours_to_mend_and_nothing_is_stored(
    served: str, caplog: pytest.LogCaptureFixture
) -> None:
    pointer = stores.registry().pointer(MODEL)
    assert pointer is not None
    stores.lake().write_bytes(pointer.artifact_key, b"not a model", "application/octet-stream")

    status, answer = send(handler, "predict")

    assert (status, answer["error"]["code"]) == (500, "unusable_artifact")
    assert "a rollback to another helps, trying again does not" in answer["error"]["message"]
    assert pointer.artifact_key not in str(answer)
    assert [record for record in caplog.records if pointer.artifact_key in getattr(record, "reason", "")]
    assert stored() == 0


def put_on_rollout(champion: str, challenger: str, mode: RolloutMode, share: float | None) -> None:
    registry = stores.registry()
    audit = AuditInfo(reason="a share first", actor="pipeline", at=datetime(2026, 3, 1, tzinfo=UTC))
    pointer = registry.pointer(MODEL)
    assert pointer is not None
    back = roll_back(pointer, servable(registry.version(MODEL, champion)), audit)
    tried = start_rollout(back.pointer, servable(registry.version(MODEL, challenger)), mode, share, audit)
    for step in (back, tried):
        registry.move_pointer(MODEL, step)


def test_a_canary_answers_some_entities_and_each_version_s_answers_are_counted(
    served: str, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = serve_version(2, flip=True)
    put_on_rollout(served, newer, RolloutMode.CANARY, 0.3)
    capsys.readouterr()

    _, answer = predict(*({"features": FEATURES, "entity_id": f"rider-{number}"} for number in range(100)))

    answered = Counter(row["model_version"] for row in answer["predictions"])
    assert set(answered) == {served, newer}
    assert len({(row["model_version"], row["decision"]) for row in answer["predictions"]}) == 2
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"Predictions"' in line]
    assert {row["ModelVersion"]: row["Predictions"] for row in counted} == {
        version: [float(count)] for version, count in answered.items()
    }


def test_shadow_answer_is_stored_and_not_returned(served: str) -> None:
    newer = serve_version(2, flip=True)
    put_on_rollout(served, newer, RolloutMode.SHADOW, None)

    _, answer = predict({"prediction_id": "p-1", "features": FEATURES})

    assert answer["predictions"][0]["model_version"] == served
    assert "shadow" not in answer["predictions"][0]
    kept = stores.label_store().predictions([PredictionKey(MODEL, "p-1")])[PredictionKey(MODEL, "p-1")]
    assert kept.shadow is not None
    assert (kept.shadow.version, kept.shadow.decision) == (newer, 1 - int(kept.decision))


def test_unloadable_champion_is_reported_and_the_previous_one_answers(
    served: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    predict({"features": FEATURES})
    newer = stores.registry().version(MODEL, serve_version(2, flip=True))
    stores.lake().write_bytes(newer.artifact_key, b"not a model", "application/octet-stream")
    capsys.readouterr()

    status, answer = predict({"features": FEATURES})

    assert (status, answer["predictions"][0]["model_version"]) == (200, served)
    [counted] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "UnusableVersions" in line]
    assert counted["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]  # what the alarm looks at
    [troubles] = [vars(record)["troubles"] for record in caplog.records if hasattr(record, "troubles")]
    assert newer.version in troubles[0]


def test_the_log_holds_no_features(
    served: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    predict({"prediction_id": "p-1", "features": {"hour": "hunter2", "temperature": 0.98765, "holiday": False}})

    output = "".join([*capsys.readouterr(), *(str(vars(record)) for record in caplog.records)])
    assert "hunter2" not in output
    assert "0.98765" not in output
