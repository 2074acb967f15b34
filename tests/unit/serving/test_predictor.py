"""Predict calls are answered with what was stored, all of a call or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from hindsight.core.errors import Conflict, InvalidInput, TooLarge, UnusableArtifact
from hindsight.entities.prediction import Features, ShadowAnswer
from hindsight.ingestion.instance import InstanceReader, ScoredInstance
from hindsight.ingestion.prediction_log import PredictionLog
from hindsight.registry.pointer import Rollout, RolloutMode
from hindsight.serving.line_up import InService, LineUp
from hindsight.serving.predictor import Predictor, Scorer
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.predictions.prediction_store import InMemoryPredictions, RecordedRejoins
from hindsight.validation.timestamps import ClientTimestamps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class ByHour:
    """Scores an instance by its hour."""

    def score(self, rows: Sequence[Features]) -> list[ScoredInstance]:
        return [
            ScoredInstance(score=float(str(row["hour"])) / 24, decision=int(float(str(row["hour"])) > 12))
            for row in rows
        ]


class Constant:
    """Scores every instance alike."""

    def score(self, rows: Sequence[Features]) -> list[ScoredInstance]:
        return [ScoredInstance(score=0.0, decision=0) for _ in rows]


@dataclass(frozen=True)
class OfManyClasses:
    """Scores every instance with a probability of each of many classes."""

    classes: int

    def score(self, rows: Sequence[Features]) -> list[ScoredInstance]:
        probabilities = {f"class of goods {number:04d}": 1 / (self.classes + 0.7) for number in range(self.classes)}
        return [ScoredInstance(score=0.1, decision="class of goods 0001", probabilities=probabilities) for _ in rows]


class Broken:
    """Cannot score."""

    def score(self, rows: Sequence[Features]) -> list[ScoredInstance]:
        raise UnusableArtifact("it is of another age")


class Short:
    """Forgets an instance."""

    def score(self, rows: Sequence[Features]) -> list[ScoredInstance]:
        return Constant().score(rows[1:])


class NotANumber:
    """A model whose answers no store takes."""

    def score(self, rows: Sequence[Features]) -> list[ScoredInstance]:
        return [ScoredInstance(score=float("nan"), decision=0) for _ in rows]


class Leaky:
    """Fails as libraries do: with the row in its message."""

    def score(self, rows: Sequence[Features]) -> list[ScoredInstance]:
        raise ValueError(f"could not convert {rows[0]}")


def only(version: str, scorer: Scorer) -> LineUp[Scorer]:
    return LineUp("bike-demand", InService(version, scorer))


def beside(scorer: Scorer, mode: RolloutMode, share: float | None = None) -> LineUp[Scorer]:
    rollout = Rollout(version="v2", mode=mode, share=share, artifact_key="", artifact_digest="", since=NOW)
    return LineUp("bike-demand", InService("v1", ByHour()), rollout, InService("v2", scorer))


RIDERS = [
    {**instance, "entity_id": f"rider-{number % 40}"}
    for number, instance in enumerate(
        {"prediction_id": f"p{number}", "features": {"hour": 18}} for number in range(200)
    )
]


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


@pytest.mark.parametrize("classes", [600, 2])
def test_call_whose_answer_would_be_too_large_stores_nothing_and_says_how_many_fit(
    predictor: Predictor, reader: InstanceReader, store: InMemoryPredictions, classes: int
) -> None:
    calls = [instance(f"p{number}", 18) for number in range(300)]
    lineup = only("v1", OfManyClasses(classes))
    if classes == 2:
        assert len(predictor.predict(reader, calls, lineup).predictions) == 300
        return
    with pytest.raises(TooLarge, match="instances would be answered with") as refused:
        predictor.predict(reader, calls, lineup)
    assert not store.kept
    most = int(refused.value.message.partition("at most ")[2].split()[0])
    assert 100 < most < 300
    assert len(predictor.predict(reader, calls[:most], lineup).predictions) == most


def test_every_instance_is_answered_in_order(predictor: Predictor, reader: InstanceReader) -> None:
    answers = predictor.predict(reader, [instance("a", 18), instance("b", 6)], only("v1", ByHour())).predictions

    assert [(answer.prediction_id, answer.decision) for answer in answers] == [("a", 1), ("b", 0)]
    assert {answer.model_version for answer in answers} == {"v1"}


def test_a_repeated_call_gets_the_stored_answer_even_from_another_version(
    predictor: Predictor, reader: InstanceReader
) -> None:
    first = predictor.predict(reader, [instance("a", 18)], only("v1", ByHour()))

    assert predictor.predict(reader, [instance("a", 18)], only("v2", Constant())) == first


def test_an_id_used_for_another_instance_is_a_conflict(predictor: Predictor, reader: InstanceReader) -> None:
    predictor.predict(reader, [instance("a", 18)], only("v1", ByHour()))

    with pytest.raises(Conflict) as refused:
        predictor.predict(reader, [instance("b", 1), instance("a", 6)], only("v1", ByHour()))

    assert [fault.path for fault in refused.value.faults] == ["instances[1].prediction_id"]


def test_an_id_twice_in_one_call_is_a_conflict(predictor: Predictor, reader: InstanceReader) -> None:
    with pytest.raises(Conflict):
        predictor.predict(reader, [instance("a", 1), instance("a", 1)], only("v1", ByHour()))


def test_one_invalid_instance_leaves_nothing_predicted(
    predictor: Predictor, reader: InstanceReader, store: InMemoryPredictions
) -> None:
    with pytest.raises(InvalidInput) as refused:
        predictor.predict(reader, [instance("a", 18), instance("b", []), {"colour": 1}], only("v1", ByHour()))

    assert [fault.path for fault in refused.value.faults] == [
        "instances[1].features.hour",
        "instances[2].features",
        "instances[2].colour",
    ]
    assert not store.kept


def test_a_canary_answers_all_instances_of_its_entities_and_no_others(
    predictor: Predictor, reader: InstanceReader
) -> None:
    answered = predictor.predict(reader, RIDERS, beside(Constant(), RolloutMode.CANARY, 0.3))
    by_entity: dict[str | None, set[tuple[str, Any]]] = {}
    for prediction in answered.predictions:
        by_entity.setdefault(prediction.entity_id, set()).add((prediction.model_version, prediction.decision))
    assert all(len(said) == 1 for said in by_entity.values())
    assert set.union(*by_entity.values()) == {("v1", 1), ("v2", 0)}
    assert [prediction.prediction_id for prediction in answered.predictions] == [row["prediction_id"] for row in RIDERS]
    assert not any(prediction.shadow for prediction in answered.predictions)


def test_a_shadow_is_kept_beside_the_answer(
    predictor: Predictor, reader: InstanceReader, store: InMemoryPredictions
) -> None:
    answered = predictor.predict(reader, [instance("a", 18)], beside(Constant(), RolloutMode.SHADOW))
    (prediction,) = answered.predictions
    assert (prediction.model_version, prediction.decision) == ("v1", 1)
    assert prediction.shadow == ShadowAnswer(version="v2", score=0.0, decision=0)
    assert store.kept[prediction.key].shadow == prediction.shadow


@pytest.mark.parametrize("scorer", [Broken(), Short(), NotANumber(), Leaky()])
@pytest.mark.parametrize(("mode", "share"), [(RolloutMode.CANARY, 0.9), (RolloutMode.SHADOW, None)])
def test_failing_version_on_rollout_does_not_affect_answers(
    predictor: Predictor, reader: InstanceReader, scorer: Scorer, mode: RolloutMode, share: float | None
) -> None:
    answered = predictor.predict(reader, RIDERS, beside(scorer, mode, share))
    said = {(found.model_version, found.decision, found.shadow) for found in answered.predictions}
    assert said == {("v1", 1, None)}
    assert len(answered.troubles) == 1
    assert answered.troubles[0].startswith("v2 ")
    assert "hour" not in answered.troubles[0]


def test_a_champion_that_fails_is_an_error(predictor: Predictor, reader: InstanceReader) -> None:
    with pytest.raises(UnusableArtifact):
        predictor.predict(reader, [instance("a", 1)], only("v1", Broken()))
