"""Predictions made elsewhere are kept once, each checked on its own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.core.errors import InvalidInput
from hindsight.core.times import format_time
from hindsight.entities.prediction import PredictionKey, ShadowAnswer
from hindsight.ingestion.instance import MAX_TO_OUTCOME, InstanceReader
from hindsight.ingestion.prediction_log import PredictionCapture, PredictionLog
from hindsight.testing.aws.feedback_stream import InMemoryStream
from hindsight.testing.builders.configuration import configuration, document
from hindsight.testing.predictions.prediction_store import InMemoryPredictions, RecordedRejoins
from hindsight.validation.timestamps import ClientTimestamps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FEATURES = {"hour": 7, "temperature": 0.5, "holiday": False}


def reader(trust: ClientTimestamps = ClientTimestamps.BOUNDED, **changes: Any) -> InstanceReader:
    names = iter(f"new-{number}" for number in range(1000))
    return InstanceReader(configuration(**changes), NOW, trust, new_id=lambda: next(names))


def body(**changes: Any) -> dict[str, Any]:
    return {"prediction_id": "p-1", "features": FEATURES, "score": 0.7, "model_version": "v1", **changes}


@pytest.fixture
def store() -> InMemoryPredictions:
    return InMemoryPredictions()


@pytest.fixture
def rejoins() -> RecordedRejoins:
    return RecordedRejoins()


@pytest.fixture
def capture(store: InMemoryPredictions, rejoins: RecordedRejoins) -> PredictionCapture:
    return PredictionCapture(PredictionLog(store, rejoins), InMemoryStream())


def test_a_prediction_is_kept_with_every_declared_feature(
    capture: PredictionCapture, store: InMemoryPredictions
) -> None:
    receipt = capture.capture(reader(), [body(features={"hour": 7})])

    assert receipt.accepted == ["p-1"]
    kept = store.kept[PredictionKey("bike-demand", "p-1")]
    assert kept.features == {"hour": 7, "temperature": None, "holiday": None}
    assert kept.decision == 1
    assert kept.outcome_due_at == NOW + timedelta(days=7)


def test_the_same_body_again_changes_nothing(capture: PredictionCapture, store: InMemoryPredictions) -> None:
    capture.capture(reader(), [body()])
    before = dict(store.kept)

    assert capture.capture(reader(), [body()]).accepted == ["p-1"]
    assert store.kept == before


def test_another_body_under_a_known_id_is_a_conflict(capture: PredictionCapture, store: InMemoryPredictions) -> None:
    capture.capture(reader(), [body()])

    receipt = capture.capture(reader(), [body(prediction_id="p-0"), body(score=0.1)])

    assert receipt.accepted == ["p-0"]
    assert [(rejection.index, rejection.code) for rejection in receipt.rejected] == [(1, "conflict")]
    assert store.kept[PredictionKey("bike-demand", "p-1")].score == 0.7


@pytest.mark.parametrize("decision", [True, 1.0, "1", "true"])
def test_decision_in_another_spelling_is_the_same_body(capture: PredictionCapture, decision: Any) -> None:
    first, again = (
        body(prediction_id="p", decision=spelled, shadow={"version": "other", "score": 0.7, "decision": spelled})
        for spelled in (1, decision)
    )

    assert capture.capture(reader(), [first, again]).to_json() == {"accepted": ["p", "p"], "rejected": []}


def test_two_bodies_under_one_id_in_one_call_are_a_conflict(
    capture: PredictionCapture, store: InMemoryPredictions
) -> None:
    receipt = capture.capture(reader(), [body(), body(score=0.1), body()])

    assert receipt.accepted == ["p-1", "p-1"]
    assert [(rejection.index, rejection.code) for rejection in receipt.rejected] == [(1, "conflict")]


def test_a_prediction_without_an_id_gets_one(capture: PredictionCapture) -> None:
    nameless = body()
    del nameless["prediction_id"]

    assert capture.capture(reader(), [nameless, nameless]).accepted == ["new-0", "new-1"]


def test_feedback_that_came_first_is_joined_at_once(
    capture: PredictionCapture, store: InMemoryPredictions, rejoins: RecordedRejoins
) -> None:
    early = PredictionKey("bike-demand", "p-1")
    store.early.add(early)

    capture.capture(reader(), [body(), body(prediction_id="p-2")])

    assert rejoins.keys == [early]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"score": 1.5}, "predictions[1].score"),
        ({"score": "0.5"}, "predictions[1].score"),
        ({"score": None}, "predictions[1].score"),
        ({"decision": 7}, "predictions[1].decision"),
        ({"prediction_id": " a"}, "predictions[1].prediction_id"),
        ({"prediction_id": "a\nb"}, "predictions[1].prediction_id"),
        ({"features": {"hour": 7.5}}, "predictions[1].features.hour"),
        ({"features": {"temperature": True}}, "predictions[1].features.temperature"),
        ({"features": {"holiday": 1}}, "predictions[1].features.holiday"),
        ({"features": {"hour": "x" * 300}}, "predictions[1].features.hour"),
        ({"features": {"colour": "red"}}, "predictions[1].features.colour"),
        ({"features": []}, "predictions[1].features"),
        ({"occurred_at": "2026-03-01T12:06:00Z"}, "predictions[1].occurred_at"),
        ({"occurred_at": "2026-03-01T12:00:00"}, "predictions[1].occurred_at"),
        ({"occurred_at": "yesterday"}, "predictions[1].occurred_at"),
        ({"received_at": "2026-03-01T12:00:00Z"}, "predictions[1].received_at"),
        ({"outcome_due_at": "2026-02-01T12:00:00Z"}, "predictions[1].outcome_due_at"),
        ({"outcome_due_at": "2037-01-01T12:00:00Z"}, "predictions[1].outcome_due_at"),
        ({"outcome_due_at": "9999-12-31T23:00:00Z"}, "predictions[1].outcome_due_at"),
        ({"propensity": 0}, "predictions[1].propensity"),
        ({"model_version": ""}, "predictions[1].model_version"),
        ({"colour": "red"}, "predictions[1].colour"),
    ],
)
def test_an_invalid_prediction_is_rejected_by_its_path_and_the_others_are_kept(
    capture: PredictionCapture, change: dict[str, Any], path: str
) -> None:
    receipt = capture.capture(reader(), [body(prediction_id="good"), body(**change)])

    assert receipt.accepted == ["good"]
    assert [rejection.fault.path for rejection in receipt.rejected] == [path]


def test_an_outcome_may_fall_due_as_late_as_the_longest_delay_that_can_be_configured(
    capture: PredictionCapture,
) -> None:
    latest = NOW + MAX_TO_OUTCOME
    dues = {"latest": latest, "later": latest + timedelta(seconds=1)}
    times = {name: {"occurred_at": format_time(NOW), "outcome_due_at": format_time(due)} for name, due in dues.items()}

    receipt = capture.capture(reader(), [body(prediction_id=name, **of) for name, of in times.items()])

    assert receipt.accepted == ["latest"]
    (rejection,) = receipt.rejected
    assert rejection.fault.message == "lies more than ten years after the prediction"


def test_nothing_is_kept_of_a_call_without_a_valid_prediction(
    capture: PredictionCapture, store: InMemoryPredictions
) -> None:
    with pytest.raises(InvalidInput) as refused:
        capture.capture(reader(), [body(score=2), "no object"])

    assert [fault.path for fault in refused.value.faults] == ["predictions[0].score", "predictions[1]"]
    assert not store.kept


def test_trusted_clients_say_when_they_were_heard(capture: PredictionCapture, store: InMemoryPredictions) -> None:
    times = {"occurred_at": "2011-01-01T00:00:00Z", "received_at": "2011-01-01T00:05:00Z"}

    capture.capture(
        reader(ClientTimestamps.TRUSTED), [body(**times), body(prediction_id="p-2", occurred_at="2011-01-01T00:00:00Z")]
    )

    received = [prediction.received_at for prediction in store.kept.values()]
    assert received == [datetime(2011, 1, 1, 0, 5, tzinfo=UTC), datetime(2011, 1, 1, tzinfo=UTC)]


def test_a_multiclass_prediction_needs_its_decision(capture: PredictionCapture, store: InMemoryPredictions) -> None:
    labels = {"rules": [{"event": "class", "kind": "outcome", "window": "P2D"}]}
    monitoring = {**document()["monitoring"], "performance": {}}
    multiclass = reader(task="multiclass", labels=labels, review={}, monitoring=monitoring)

    receipt = capture.capture(multiclass, [body(decision="sunny"), body(prediction_id="p-2")])

    assert receipt.accepted == ["p-1"]
    assert receipt.rejected[0].fault.path == "predictions[1].decision"
    assert store.kept[PredictionKey("bike-demand", "p-1")].decision == "sunny"


@pytest.mark.parametrize(
    ("rule", "days", "is_warned"),
    [
        ({"window": "P2D"}, 2, False),
        ({"window": "P2D"}, 3, True),
        ({}, 300, False),
    ],
)
def test_outcome_due_after_every_window_is_taken_with_a_warning(
    capture: PredictionCapture, rule: dict[str, str], days: int, *, is_warned: bool
) -> None:
    labels = {"rules": [{"event": "annotation", "kind": "manual"}, {"event": "stayed", "kind": "outcome", **rule}]}
    due = format_time(NOW + timedelta(days=days))

    receipt = capture.capture(reader(labels=labels), [body(occurred_at=format_time(NOW), outcome_due_at=due)])

    shown = receipt.to_json()
    assert shown["accepted"] == ["p-1"]
    assert ("warnings" in shown) is is_warned
    if is_warned:
        assert shown["warnings"] == [
            {
                "index": 0,
                "code": "due_after_windows",
                "path": "predictions[0].outcome_due_at",
                "message": "lies P3D after the prediction; an outcome later than P2D after it makes no label",
            }
        ]


def multiclass_reader() -> InstanceReader:
    labels = {"rules": [{"event": "weather", "kind": "outcome", "window": "P1D"}]}
    return reader(task="multiclass", labels=labels, review={}, monitoring={"performance": {"metric": "accuracy"}})


def test_probabilities_of_a_multiclass_prediction_are_kept(
    capture: PredictionCapture, store: InMemoryPredictions
) -> None:
    found = {"sunny": 0.7, "rain": 0.2, "2": 0.1}
    receipt = capture.capture(multiclass_reader(), [body(decision="sunny", score=0.7, probabilities=found)])
    assert receipt.rejected == []
    (kept,) = store.kept.values()
    assert kept.probabilities == found


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"probabilities": {"sunny": 0.7, "rain": 0.2}}, "probabilities", "must sum to 1"),
        ({"probabilities": {"sunny": 0.7, "x" * 2**17: 0.3}}, "probabilities", "is larger than 131072 bytes"),
        ({"probabilities": {"snow": 0.7, "rain": 0.3}}, "probabilities", "no class of the name of the decision"),
        ({"probabilities": {"sunny": 0.5, "rain": 0.5}}, "score", "is not the probability of the decision"),
        ({"probabilities": {"sunny": 1.5, "rain": -0.5}}, "probabilities.sunny", "must be at most 1"),
        ({"shadow": {"version": "v1", "score": 0.5, "decision": "rain"}}, "shadow.version", "is the version that"),
        ({"shadow": {"version": "v2", "score": 1.5, "decision": "rain"}}, "shadow.score", "a probability from 0 to 1"),
        ({"shadow": {"version": "v2", "score": 0.5}}, "shadow.decision", "is required"),
    ],
)
def test_contradictory_probabilities_and_shadows_are_rejected_by_path(
    capture: PredictionCapture, changes: dict[str, Any], path: str, message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        capture.capture(multiclass_reader(), [body(decision="sunny", score=0.7, model_version="v1", **changes)])
    assert refused.value.faults[0].path == f"predictions[0].{path}"
    assert message in refused.value.faults[0].message


def test_shadow_of_a_binary_prediction_is_kept_with_its_decision(
    capture: PredictionCapture, store: InMemoryPredictions
) -> None:
    capture.capture(reader(), [body(shadow={"version": "v2", "score": 0.8})])
    (kept,) = store.kept.values()
    assert kept.shadow == ShadowAnswer(version="v2", score=0.8, decision=1)


def test_probabilities_of_a_binary_prediction_are_rejected(capture: PredictionCapture) -> None:
    with pytest.raises(InvalidInput, match="is for multiclass tasks"):
        capture.capture(reader(), [body(probabilities={"0": 0.2, "1": 0.8})])
