"""Predict calls are answered with what was stored, all of a call or nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.capture.clocks import ClientTimestamps
from shared.capture.instance import InstanceReader, Scored
from shared.capture.prediction import Features
from shared.capture.prediction_log import PredictionLog
from shared.capture.predictor import Predictor
from shared.errors import Conflict, InvalidInput
from tests.fakes.prediction_store import InMemoryPredictions, RecordedRejoins
from tests.unit.configuration.example import configuration

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class ByHour:
    """Scores an instance by its hour."""

    def score(self, rows: Sequence[Features]) -> list[Scored]:
        return [Scored(score=float(str(row["hour"])) / 24, decision=int(float(str(row["hour"])) > 12)) for row in rows]


class Constant:
    """Scores every instance alike."""

    def score(self, rows: Sequence[Features]) -> list[Scored]:
        return [Scored(score=0.0, decision=0) for _ in rows]


@pytest.fixture
def store() -> InMemoryPredictions:
    return InMemoryPredictions()


@pytest.fixture
def predictor(store: InMemoryPredictions) -> Predictor:
    return Predictor(PredictionLog(store, RecordedRejoins()))


@pytest.fixture
def reader() -> InstanceReader:
    return InstanceReader(configuration(), NOW, ClientTimestamps.BOUNDED, new_id=lambda: "new")


def instance(name: str, hour: Any) -> dict[str, Any]:
    return {"prediction_id": name, "features": {"hour": hour}}


def test_every_instance_is_answered_in_order(predictor: Predictor, reader: InstanceReader) -> None:
    answers = predictor.predict(reader, [instance("a", 18), instance("b", 6)], "v1", ByHour())

    assert [(answer.prediction_id, answer.decision) for answer in answers] == [("a", 1), ("b", 0)]
    assert {answer.model_version for answer in answers} == {"v1"}


def test_a_repeated_call_gets_the_stored_answer_even_from_another_version(
    predictor: Predictor, reader: InstanceReader
) -> None:
    first = predictor.predict(reader, [instance("a", 18)], "v1", ByHour())

    assert predictor.predict(reader, [instance("a", 18)], "v2", Constant()) == first


def test_an_id_used_for_another_instance_is_a_conflict(predictor: Predictor, reader: InstanceReader) -> None:
    predictor.predict(reader, [instance("a", 18)], "v1", ByHour())

    with pytest.raises(Conflict) as refused:
        predictor.predict(reader, [instance("b", 1), instance("a", 6)], "v1", ByHour())

    assert [fault.path for fault in refused.value.faults] == ["instances[1].prediction_id"]


def test_an_id_twice_in_one_call_is_a_conflict(predictor: Predictor, reader: InstanceReader) -> None:
    with pytest.raises(Conflict):
        predictor.predict(reader, [instance("a", 1), instance("a", 1)], "v1", ByHour())


def test_one_invalid_instance_leaves_nothing_predicted(
    predictor: Predictor, reader: InstanceReader, store: InMemoryPredictions
) -> None:
    with pytest.raises(InvalidInput) as refused:
        predictor.predict(reader, [instance("a", 18), instance("b", []), {"colour": 1}], "v1", ByHour())

    assert [fault.path for fault in refused.value.faults] == [
        "instances[1].features.hour",
        "instances[2].features",
        "instances[2].colour",
    ]
    assert not store.kept
