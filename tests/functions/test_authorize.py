from collections.abc import Callable
from typing import Any

import boto3
import pytest

from functions.authorize.app import handler
from hindsight.runtime.http.audiences import Audience, refusal_of

Sample = Callable[[str], dict[str, Any]]


@pytest.fixture
def keys(deployed: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The deployment's three keys, by audience."""
    gateway = boto3.client("apigateway")
    made = {audience: gateway.create_api_key(name=audience, enabled=True) for audience in Audience}
    monkeypatch.setenv("AUDIENCE_KEYS", ",".join(f"{audience}={key['id']}" for audience, key in made.items()))
    return {audience: key["value"] for audience, key in made.items()}


def effects(answer: dict[str, Any]) -> list[str]:
    return [statement["Effect"] for statement in answer["policyDocument"]["Statement"]]


def test_app_key_is_recognised_in_any_case_of_the_header(keys: dict[str, str], sample: Sample, context: Any) -> None:
    event = sample("authorize")
    event["headers"] = {"X-Api-Key": keys["app"]}
    answer = handler(event, context)
    assert answer["context"]["audience"] == "app"
    assert effects(answer) == ["Allow", "Deny"]


@pytest.mark.parametrize("headers", [None, {}, {"x-api-key": ""}, {"x-api-key": "another's"}])
def test_an_unknown_key_is_denied_everything(
    keys: dict[str, str], sample: Sample, context: Any, headers: dict[str, str] | None
) -> None:
    answer = handler(sample("authorize") | {"headers": headers}, context)
    assert effects(answer) == ["Deny"]
    assert answer["policyDocument"]["Statement"][0]["Resource"][0].endswith("/v1/*")
    assert answer["context"] == {"audience": "anonymous", **refusal_of(None)}


def test_no_key_is_ever_logged(
    keys: dict[str, str], sample: Sample, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in [*keys.values(), "a-guessed-key"]:
        handler(sample("authorize") | {"headers": {"x-api-key": key}}, context)
    written = "".join(capsys.readouterr())
    assert not [key for key in [*keys.values(), "a-guessed-key"] if key in written]
