"""From a logged prediction to a review task, on a running stack."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.core.times import format_time
from local.client import StackClient
from local.state import Stack
from tests.stack.waiting import eventually

# The review queue, whose tasks the sampled become.

NOON = datetime(2027, 5, 3, 12, tzinfo=UTC)
MODEL = "sampled"


@pytest.fixture(scope="module")
def client(stack: Stack) -> StackClient:
    client = StackClient(stack)
    document = {
        "model": MODEL,
        "task": "binary",
        "features": {"x": {"type": "numeric"}, "kind": {"type": "categorical"}},
        "labels": {"rules": [{"event": "annotation", "kind": "manual"}]},
        "review": {"random_rate": 0.1, "uncertain_per_day": 15},
    }
    client.call("PUT", f"models/{MODEL}", key="operator", json=document)
    return client


def log(client: StackClient, names: list[str], at: datetime) -> None:
    rows = [
        {
            "prediction_id": name,
            "features": {"x": number / 10, "kind": "abc"[number % 3]},
            "score": number % 100 / 100,
            "model_version": "elsewhere",
            "occurred_at": format_time(at),
        }
        for number, name in enumerate(names)
    ]
    client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": rows})


def state(client: StackClient) -> dict[str, Any]:
    item = client.aws("dynamodb").get_item(
        TableName=client.stack.outputs["ModelsTable"],
        Key={"pk": {"S": MODEL}, "sk": {"S": "review-selection"}},
        ConsistentRead=True,
    )
    return json.loads(item["Item"]["state"]["S"]) if "Item" in item else {"days": [], "recent": []}


def tasks(client: StackClient) -> set[str]:
    pages = client.aws("dynamodb").get_paginator("scan")
    items = [
        item for page in pages.paginate(TableName=client.stack.outputs["PredictionsTable"]) for item in page["Items"]
    ]
    return {
        item["prediction_id"]["S"]
        for item in items
        if item["sk"]["S"].startswith("review") and item["model"]["S"] == MODEL
    }


def test_logged_predictions_become_review_tasks_within_each_day_s_budget(client: StackClient) -> None:
    for day in range(2):
        for call in range(3):
            names = [f"d{day}-c{call}-{number}" for number in range(40)]
            log(client, names, NOON + timedelta(days=day, hours=call))
    eventually(lambda: [sum(day["hours"]) for day in state(client)["days"]] == [120, 120])

    found = state(client)
    sampled = [sample for _, drawn in found["recent"] for sample in drawn]
    eventually(lambda: tasks(client) == {sample[0] for sample in sampled})
    # What the audit drew too is not charged to the budget, so that a little of it may be left over.
    spent = [day["sampled"] for day in found["days"]]
    assert all(8 <= sampled <= 15 for sampled in spent)
    assert [sample[1] for sample in sampled].count("uncertain") == sum(spent)
    assert all(0.1 <= probability <= 1 for _, _, probability, _ in sampled)
    leased = client.call("POST", f"models/{MODEL}/review/leases", key="reviewer", json={"limit": 5, "reviewer": "ann"})
    assert leased
