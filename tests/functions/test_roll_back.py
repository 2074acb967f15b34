import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.decide_versions.app import handler
from hindsight.bootstrap import stores
from hindsight.testing.builders.configuration import configuration
from tests.functions.conftest import Context
from tests.functions.served import serve_version

Sample = Callable[[str], dict[str, Any]]
Ask = Callable[..., tuple[int, dict[str, Any]]]
FEATURES = {"temperature": {"type": "numeric"}, "hour": {"type": "categorical"}, "holiday": {"type": "boolean"}}


@pytest.fixture
def ask(deployed: None, sample: Sample, context: Context) -> Ask:
    stores.configurations().put(
        configuration(features=FEATURES, monitoring={"slices": []}), datetime(2026, 3, 1, tzinfo=UTC)
    )

    def send(**body: Any) -> tuple[int, dict[str, Any]]:
        event = sample("decide_versions_rollback")
        if body:
            event["body"] = json.dumps(body)
        answer = handler(event, context)
        return answer["statusCode"], json.loads(answer["body"])

    return send


def test_the_sample_request_takes_the_champion_back(ask: Ask) -> None:
    first, second = serve_version(1), serve_version(2, flip=True)
    status, move = ask()
    assert (status, move["change"], move["from"], move["to"]) == (200, "rolled_back", second, first)
    assert move["reason"] == "riders complain since noon"
    assert getattr(stores.registry().pointer("bike-demand"), "champion", None) == first


def test_a_damaged_artefact_is_not_gone_back_to(ask: Ask) -> None:
    first, second = serve_version(1), serve_version(2, flip=True)
    record = stores.registry().version("bike-demand", first)
    stores.lake().write_bytes(record.artifact_key, b"something else", "application/octet-stream")
    status, answer = ask(reason="complaints")
    assert (status, answer["error"]["code"]) == (409, "conflict")
    assert "not the one that was registered" in answer["error"]["message"]
    assert getattr(stores.registry().pointer("bike-demand"), "champion", None) == second


def test_before_the_first_deployment_there_is_nothing_to_roll_back(ask: Ask) -> None:
    status, answer = ask()
    assert (status, answer["error"]["code"]) == (409, "no_model")
