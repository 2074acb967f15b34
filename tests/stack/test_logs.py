"""No log holds the data that callers send, nor their keys."""

from typing import Any

from local.client import StackClient
from tests.stack.waiting import eventually

MODEL = "logged"
MARK = "MARKED-VALUE-7f3a"
MADE = "2027-10-02T12:00:00Z"


def log_lines(client: StackClient) -> list[str]:
    logs = client.aws("logs")
    lines: list[str] = []
    for groups in logs.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
                lines += [event["message"] for event in page["events"]]
    return lines


def test_no_log_holds_a_feature_a_value_a_token_or_a_key(client: StackClient) -> None:
    configuration = {
        "model": MODEL,
        "task": "multiclass",
        "features": {"x": {"type": "categorical"}},
        "labels": {"rules": [{"event": "said", "kind": "outcome", "window": "P1D"}]},
        "feedback": {"token": {"required": True, "expires": "P900D"}},
        "review": {"random_rate": 0},
    }
    client.call("PUT", f"models/{MODEL}", key="operator", json=configuration)
    row = {"prediction_id": "p", "features": {"x": MARK}, "score": 0.5, "decision": MARK, "model_version": "v"}
    body: dict[str, Any] = {"predictions": [{**row, "entity_id": "MARKED-entity", "occurred_at": MADE}]}
    token = client.call("POST", f"models/{MODEL}/predictions", key="app", json=body)["tokens"]["p"]
    event = {"feedback_id": "f", "prediction_id": "p", "name": "said", "value": MARK, "occurred_at": MADE}
    sent = [{**event, "token": token}, {**event, "feedback_id": "g", "token": f"{token}x"}]
    client.call("POST", f"models/{MODEL}/feedback", key="app", json={"events": sent})
    spoilt = {"events": [{**event, "value": {MARK: 1}, "token": token}]}
    answer = client.stack.api_url.rstrip("/") + f"/models/{MODEL}/feedback"
    assert client._http.post(answer, json=spoilt, headers={"x-api-key": client.stack.keys["app"]}).status_code == 400

    def labelled() -> Any:
        explained = client.call("GET", f"models/{MODEL}/predictions/p", key="operator")
        return [label["value"] for label in explained["labels"]]

    assert eventually(labelled) == [MARK]
    lines = log_lines(client)
    assert any('"capture_feedback' in line or "hindsight" in line for line in lines)
    for secret in (MARK, "MARKED-entity", token, *client.stack.keys.values()):
        assert [line for line in lines if secret in line] == [], secret
