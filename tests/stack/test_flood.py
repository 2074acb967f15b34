"""More feedback than the functions have room for: apps are slowed down, and nothing that was taken is dropped."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from hindsight.core.times import format_time
from local.client import StackClient
from tests.stack.waiting import eventually

MODEL = "flooded"
MADE = datetime(2028, 11, 1, 12, tzinfo=UTC)
APPS, CALLS, EVENTS = 8, 5, 10


@pytest.fixture
def narrow(client: StackClient) -> Iterator[None]:
    """One capture and one join at a time, as if the account had no more room."""
    functions = [client.stack.outputs[f"{name}Function"] for name in ("CaptureFeedback", "JoinLabels")]
    for function in functions:
        client.aws("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    yield
    for function in functions:
        client.aws("lambda").delete_function_concurrency(FunctionName=function)


def rating(app: int, call: int, place: int) -> dict[str, Any]:
    return {
        "feedback_id": f"{app}-{call}-{place}",
        "prediction_id": f"p-{place}",
        "name": "rating",
        "value": app * CALLS + call,
        "occurred_at": format_time(MADE + timedelta(hours=1)),
    }


def send_all(client: StackClient, app: int) -> int:
    """Send an app's share as fast as it goes, what was refused again after a pause; return how often that was."""
    url = f"{client.stack.api_url.rstrip('/')}/models/{MODEL}/feedback"
    refused = 0
    with requests.Session() as http:
        http.headers["x-api-key"] = client.stack.keys["app"]
        for call in range(CALLS):
            body = {"events": [rating(app, call, place) for place in range(EVENTS)]}
            while (answer := http.post(url, json=body, timeout=60)).status_code != 202:
                assert answer.status_code == 429 or answer.status_code >= 500, answer.text
                refused += 1
                time.sleep(random.uniform(0, 0.5))
            assert answer.json()["rejected"] == []
    return refused


@pytest.mark.usefixtures("narrow")
def test_a_flood_of_feedback_is_slowed_down_and_all_of_it_counts_once(client: StackClient) -> None:
    configuration = {
        "model": MODEL,
        "task": "regression",
        "features": {"x": {"type": "numeric"}},
        "labels": {"rules": [{"event": "rating", "kind": "explicit", "window": "P2D", "aggregate": "mean"}]},
    }
    client.call("PUT", f"models/{MODEL}", key="operator", json=configuration)
    made = {"features": {"x": 1.0}, "score": 0.5, "model_version": "v", "occurred_at": format_time(MADE)}
    items = [{**made, "prediction_id": f"p-{place}"} for place in range(EVENTS)]
    client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": items})

    with ThreadPoolExecutor(APPS) as apps:
        refused = sum(apps.map(lambda app: send_all(client, app), range(APPS)))

    assert refused > APPS
    for place in range(EVENTS):

        def feedback(place: int = place) -> Any:
            explained = client.call("GET", f"models/{MODEL}/predictions/p-{place}", key="operator")
            return explained if len(explained["feedback"]) == APPS * CALLS else None

        assert eventually(feedback)["labels"][-1]["value"] == pytest.approx((APPS * CALLS - 1) / 2)
