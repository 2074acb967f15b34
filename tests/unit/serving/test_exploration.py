"""A share of the entities is answered with one decision, and the propensity of each answer is what it was."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import InvalidInput
from hindsight.entities.prediction import Features, Prediction
from hindsight.ingestion.instance import InstanceReader, ScoredInstance
from hindsight.ingestion.prediction_log import PredictionLog
from hindsight.labels.archiving.archive import prediction_row
from hindsight.registry.pointer import Rollout, RolloutMode
from hindsight.serving.answer import shown_prediction
from hindsight.serving.exploration import assign
from hindsight.serving.line_up import InService, LineUp
from hindsight.serving.predictor import Predictor, Scorer
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.predictions.prediction_store import InMemoryPredictions, RecordedRejoins
from hindsight.validation.timestamps import ClientTimestamps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENTITIES = [f"customer-{number}" for number in range(4_000)]
BY_HAND = {"rules": [{"event": "repaid", "kind": "outcome", "window": "P30D"}], "default": None}


def loans(share: float = 0.1, decision: Any = 1, **changes: Any) -> ModelConfiguration:
    settings: dict[str, Any] = {"labels": BY_HAND, "review": {}, "monitoring": {}, **changes}
    return configuration(exploration={"share": share, "decision": decision}, **settings)


class Declines:
    """Declines everything."""

    def score(self, rows: Sequence[Features]) -> list[ScoredInstance]:
        return [ScoredInstance(score=0.2, decision=0) for _ in rows]


class Grants:
    """Grants everything."""

    def score(self, rows: Sequence[Features]) -> list[ScoredInstance]:
        return [ScoredInstance(score=0.9, decision=1) for _ in rows]


class Broken:
    """Cannot score."""

    def score(self, rows: Sequence[Features]) -> list[ScoredInstance]:
        raise ValueError("no")


def answers(settings: ModelConfiguration, champion: Scorer, challenger: Scorer | None = None) -> list[Prediction]:
    rollout = Rollout(version="v2", mode=RolloutMode.CANARY, share=0.25, artifact_key="", artifact_digest="", since=NOW)
    lineup: LineUp[Scorer] = LineUp("bike-demand", InService("v1", champion))
    if challenger is not None:
        lineup = LineUp("bike-demand", InService("v1", champion), rollout, InService("v2", challenger))
    reader = InstanceReader(settings, NOW, ClientTimestamps.BOUNDED, new_id=lambda: "new")
    items = [{"prediction_id": f"p-{name}", "entity_id": name, "features": {}} for name in ENTITIES]
    return Predictor(PredictionLog(InMemoryPredictions(), RecordedRejoins())).predict(reader, items, lineup).predictions


@given(st.floats(0.01, 0.5), st.sampled_from([0, 1]))
def test_rows_of_the_explored_decision_stand_for_all_of_them_by_their_propensity(share: float, own: int) -> None:
    settings = loans(share)
    given_ = [assign(settings, entity, own) for entity in ENTITIES]
    shown = [found for found in given_ if own == 1 or found.explored == 1]
    stood_for = sum(1 / (found.propensity or 1) for found in shown)
    # Five standard deviations of a binomial count, each of which stands for 1 / share.
    assert stood_for == pytest.approx(len(ENTITIES), abs=5 * (len(ENTITIES) * (1 - share) / share) ** 0.5)


def test_propensity_is_that_of_the_decision_taken() -> None:
    declined = answers(loans(0.1), Declines())
    assert {(one.decision, one.model_decision, one.propensity) for one in declined} == {(1, 0, 0.1), (0, None, 0.9)}
    assert sum(one.is_explored for one in declined) == pytest.approx(400, abs=100)
    assert {(one.decision, one.propensity) for one in answers(loans(0.1), Grants())} == {(1, 1.0)}


def test_same_entities_are_explored_again_and_more_at_a_larger_share() -> None:
    few, again, many = (
        {one.entity_id for one in answers(loans(share), Declines()) if one.is_explored} for share in (0.1, 0.1, 0.3)
    )
    assert few == again < many


def test_explored_answer_is_marked_for_the_app_and_in_the_log_and_keeps_the_score_of_the_version() -> None:
    explored = next(one for one in answers(loans(), Declines()) if one.is_explored)
    shown, logged = shown_prediction(explored, None), prediction_row(explored)
    assert (shown["decision"], shown["explored"], shown["score"]) == (1, True, 0.2)
    assert (logged["decision"], logged["model_decision"], logged["explored"]) == (1, 0, True)
    usual = next(one for one in answers(loans(), Declines()) if not one.is_explored)
    assert "explored" not in shown_prediction(usual, None) | prediction_row(usual)


def test_canary_logs_the_share_of_the_version_and_without_one_nothing_is_logged() -> None:
    found = answers(configuration(), Declines(), Grants())
    assert {(one.model_version, one.propensity, one.version_share) for one in found} == {
        ("v1", 0.75, 0.75),
        ("v2", 0.25, 0.25),
    }
    assert {(one.propensity, one.version_share) for one in answers(configuration(), Declines())} == {(None, None)}


def test_explored_row_of_a_canary_has_the_product_of_both_chances() -> None:
    found = answers(loans(0.1), Declines(), Grants())
    explored = {one.propensity for one in found if one.is_explored}
    assert {round(chance or 0, 12) for chance in explored} == {0.075}
    assert {one.propensity for one in found if one.model_version == "v2"} == {0.25}


def test_row_that_the_canary_could_not_score_was_the_champions_for_certain() -> None:
    found = answers(configuration(), Declines(), Broken())
    assert {one.model_version for one in found} == {"v1"}
    assert {one.propensity for one in found} == {None, 0.75}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"share": 0.0}, "exploration.share"),
        ({"share": 1.0}, "exploration.share"),
        ({"decision": 2}, "exploration.decision"),
        ({"decision": None}, "exploration.decision"),
    ],
)
def test_impossible_exploration_is_refused_with_its_path(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        configuration(exploration={"share": 0.02, "decision": 1, **changes})
    assert refused.value.faults[0].path.startswith(path)


def test_exploration_needs_a_task_with_decisions_and_one_of_its_classes() -> None:
    usual: dict[str, Any] = {"review": {}, "monitoring": {}, "gate": {}, "training": {}}
    with pytest.raises(InvalidInput) as refused:
        loans(task="regression", **usual | {"labels": {"rules": [{"event": "demand", "window": "P1D"}]}})
    assert [fault.path for fault in refused.value.faults] == ["exploration"]
    mapped = {"rules": [{"event": "seen", "map": {"a": "cat", "b": "dog"}, "window": "P1D"}], "default": None}
    with pytest.raises(InvalidInput) as refused:
        loans(decision="cow", task="multiclass", **usual | {"labels": mapped})
    assert "none of the classes cat, dog" in refused.value.faults[0].message
    assert loans(decision="cat", task="multiclass", **usual | {"labels": mapped}).exploration is not None
