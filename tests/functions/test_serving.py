"""The versions that serve, as a server outside asks for them."""

import json
from typing import Any

import pytest

from functions.log_predictions.app import handler
from hindsight.bootstrap import stores
from hindsight.registry.moves import AuditInfo, Servable, start_rollout
from hindsight.registry.pointer import RolloutMode
from hindsight.serving.line_up import share_of
from hindsight.testing.builders.pointers import promoted
from tests.functions.requests import request
from tests.unit.labels.builders import NOON, at, configuration

pytestmark = pytest.mark.usefixtures("deployed")
MODEL = "bike-demand"


@pytest.fixture(autouse=True)
def configured(deployed: None) -> None:
    stores.configurations().put(configuration(), NOON)


def ask(entity_id: str | None = None, tag: str | None = None) -> dict[str, Any]:
    return request(
        handler,
        "log_predictions",
        httpMethod="GET",
        resource="/models/{model}/serving",
        path=f"/models/{MODEL}/serving",
        body=None,
        queryStringParameters=None if entity_id is None else {"entity_id": entity_id},
        headers={} if tag is None else {"If-None-Match": tag},
    )


def shown(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer["body"])
    return found


def serve(mode: RolloutMode | None = None, share: float | None = None) -> None:
    registry = stores.registry()
    registry.move_pointer(MODEL, promoted("v1", NOON))
    if mode is not None:
        challenger = Servable(version="v2", artifact_key="k", artifact_digest="d")
        audit = AuditInfo(reason="better", actor="pipeline", at=at(1))
        registry.move_pointer(MODEL, start_rollout(registry.pointer(MODEL), challenger, mode, share, audit))  # type: ignore[arg-type]
    stores.recent_pointers.cache_clear()


def test_model_without_a_version_is_a_conflict() -> None:
    answer = ask()
    assert answer["statusCode"] == 409
    assert '"no_model"' in answer["body"]


def test_champion_alone_answers_everyone() -> None:
    serve()
    answer = ask("customer-17")
    assert answer["statusCode"] == 200
    assert shown(answer) == {"champion": {"version": "v1", "external": False}, "sequence": 1, "answer": "v1"}
    assert answer["multiValueHeaders"]["cache-control"] == ["private, max-age=10"]


def test_canary_answers_the_entities_of_its_share() -> None:
    serve(RolloutMode.CANARY, 0.5)
    names = [f"customer-{number}" for number in range(20)]
    answers = {name: shown(ask(name)) for name in names}
    assert answers["customer-0"]["rollout"] == {"version": "v2", "mode": "canary", "share": 0.5}
    expected = {name: "v2" if share_of(MODEL, "v2", name) < 0.5 else "v1" for name in names}
    assert {name: answer["answer"] for name, answer in answers.items()} == expected
    assert set(expected.values()) == {"v1", "v2"}


def test_shadow_answers_no_entity() -> None:
    serve(RolloutMode.SHADOW)
    answer = shown(ask("customer-17"))
    assert (answer["rollout"]["mode"], answer["answer"]) == ("shadow", "v1")


def test_same_answer_again_is_not_sent_and_another_one_is() -> None:
    serve()
    (tag,) = ask("customer-17")["multiValueHeaders"]["etag"]
    again = ask("customer-17", tag)
    assert (again["statusCode"], again["body"]) == (304, "")
    stores.registry().move_pointer(MODEL, promoted("v3", at(2), stores.registry().pointer(MODEL)))
    stores.recent_pointers.cache_clear()
    assert shown(ask("customer-17", tag))["champion"]["version"] == "v3"


@pytest.mark.parametrize("entity_id", ["", " a", "a\n", "x" * 129])
def test_entity_that_can_be_none_is_refused_by_its_name(entity_id: str) -> None:
    serve()
    answer = ask(entity_id)
    assert answer["statusCode"] == 400
    assert "entity_id" in answer["body"]
