"""A model that asks for tokens: who holds one speaks for its own prediction, also while keys are exchanged."""

from typing import Any

import pytest

from hindsight.core.times import parse_time
from hindsight.ingestion.feedback_token import TokenKey, mint
from hindsight.testing.builders.configuration import document
from local.client import CallFailed, StackClient
from tests.stack.test_approval import outcome, retrain
from tests.stack.waiting import eventually

MODEL = "with-tokens"
MADE = "2027-08-01T12:00:00Z"


@pytest.fixture(scope="module")
def tokens(client: StackClient) -> dict[str, str]:
    configuration = {**document(), "model": MODEL, "feedback": {"token": {"required": True, "expires": "P365D"}}}
    client.call("PUT", f"models/{MODEL}", key="operator", json=configuration)
    return log(client, "p-1", "p-2")


def log(client: StackClient, *names: str) -> dict[str, str]:
    features = {"hour": "17", "temperature": 0.3}
    rows = [
        {"prediction_id": name, "features": features, "score": 0.5, "model_version": "v", "occurred_at": MADE}
        for name in names
    ]
    found: dict[str, str] = client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": rows})[
        "tokens"
    ]
    return found


def send(client: StackClient, prediction_id: str, token: str | None, feedback_id: str = "f") -> dict[str, Any]:
    event = {
        "feedback_id": feedback_id,
        "prediction_id": prediction_id,
        "name": "demand",
        "value": 150,
        "occurred_at": MADE,
    }
    sent = event if token is None else {**event, "token": token}
    receipt: dict[str, Any] = client.call("POST", f"models/{MODEL}/feedback", key="app", json={"events": [sent]})
    return receipt


def test_feedback_with_the_token_of_its_prediction_becomes_its_label_and_no_other_is_taken(
    client: StackClient, tokens: dict[str, str]
) -> None:
    assert send(client, "p-1", tokens["p-1"])["accepted"] == ["f"]
    forged = mint(TokenKey(b"forged" * 8), MODEL, "p-2", parse_time("2028-01-01T00:00:00Z"))
    codes = [send(client, "p-2", token)["rejected"][0]["code"] for token in (tokens["p-1"], None, forged)]
    assert codes == ["token_invalid", "token_missing", "token_invalid"]

    def labelled() -> list[Any]:
        explained = client.call("GET", f"models/{MODEL}/predictions/p-1", key="operator")
        return [label["value"] for label in explained["labels"]]

    assert eventually(labelled) == [1]
    assert client.call("GET", f"models/{MODEL}/predictions/p-2", key="operator")["feedback"] == []


def test_an_answer_of_the_serving_version_brings_the_token_that_its_feedback_needs(client: StackClient) -> None:
    model = "served-with-tokens"
    retrain(client, model, feedback={"token": {"required": True, "expires": "P900D"}})
    assert outcome(client, model)["outcome"] == "promoted"
    asked = {"instances": [{"features": {"temperature": 1.5, "hour": 12, "holiday": False}}]}
    [answer] = client.call("POST", f"models/{model}/predict", key="app", json=asked)["predictions"]
    event = {"feedback_id": "f", "prediction_id": answer["prediction_id"], "name": "outcome", "value": 1}
    for token, code in ((answer["feedback_token"], None), (answer["feedback_token"] + "0", "token_invalid")):
        body = {"events": [{**event, "token": token}]}
        receipt = client.call("POST", f"models/{model}/feedback", key="app", json=body)
        assert [rejected["code"] for rejected in receipt["rejected"]] == ([code] if code else [])


def test_a_token_of_before_an_exchange_of_keys_is_good_after_it(client: StackClient, tokens: dict[str, str]) -> None:
    client.aws("secretsmanager").put_secret_value(
        SecretId=client.stack.outputs["TokenSecret"], SecretString="another-key" * 6
    )
    assert send(client, "p-1", tokens["p-1"], "after-the-exchange")["accepted"] == ["after-the-exchange"]
    # Whichever key signs by now, what captures knows it.
    new = log(client, "p-3")["p-3"]
    assert send(client, "p-3", new, "of-the-exchange")["accepted"] == ["of-the-exchange"]


def test_a_token_is_kept_nowhere(client: StackClient, tokens: dict[str, str]) -> None:
    for key in client.lake.keys("feedback/"):
        assert tokens["p-1"].encode() not in client.lake.read_bytes(key)
    with pytest.raises(CallFailed, match="403"):
        client.call("POST", f"models/{MODEL}/feedback", key="operator", json={"events": []})
