"""Feedback about predictions that were never logged, from its 202 to the operators' topic, and to its labels."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.core.times import format_time
from local.client import CallFailed, StackClient
from tests.stack.test_quarantine import configure, send
from tests.stack.waiting import eventually

MODEL = "misspelt"
NOW = datetime.now(UTC)
NAMES = [f"p-{number}" for number in range(25)]


def feedback_of(client: StackClient) -> dict[str, Any]:
    found: dict[str, Any] = client.call("GET", f"models/{MODEL}", key="operator")["join_health"]["feedback"] or {}
    return found


def test_feedback_that_waits_for_predictions_never_logged_is_found_and_counts_once_they_come(
    client: StackClient, operations: Any
) -> None:
    configure(client, MODEL, {"up": 1, "down": 0})
    moment = format_time(NOW - timedelta(minutes=5))
    events = [
        {"feedback_id": f"f-{name}", "prediction_id": name, "name": "thumb", "value": "up", "occurred_at": moment}
        for name in NAMES
    ]
    send(client, MODEL, *events)

    eventually(lambda: feedback_of(client).get("events") == len(NAMES))
    waiting = feedback_of(client)
    assert (waiting["without_effect"], waiting["by_cause"]) == (len(NAMES), {"unknown_prediction": len(NAMES)})
    with pytest.raises(CallFailed, match="has no prediction 'p-0'; events that wait for it: 1"):
        client.call("GET", f"models/{MODEL}/predictions/p-0", key="operator")

    [check] = client.run_schedule("Monitor", NOW, MODEL)["checks"]
    assert (check["kind"], check["verdict"]) == ("feedback", "low")
    listed = client.call("GET", "models?limit=100", key="operator")["models"]
    assert [entry["attention"] for entry in listed if entry["model"] == MODEL] == [["feedback_without_effect"]]
    [message] = eventually(lambda: operations(MODEL))
    assert message["detail-type"] == "FeedbackWithoutEffect"
    assert message["detail"]["data"]["reason"] == check["reason"]

    item = {"features": {"x": 0.5}, "score": 0.5, "model_version": "elsewhere", "occurred_at": moment}
    predictions = [{**item, "prediction_id": name} for name in NAMES]
    client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": predictions})
    assert feedback_of(client) == {**waiting, "without_effect": 0, "by_cause": {}}
    verdicts = {check["kind"]: check["verdict"] for check in client.run_schedule("Monitor", NOW, MODEL)["checks"]}
    assert verdicts["feedback"] == "ok"
