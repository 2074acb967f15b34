"""A thousand events by entity and reference about two hundred predictions, through the API, in a drawn order."""

import os
import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from hindsight.adapters.dynamodb.requests import from_item
from hindsight.adapters.predictions_table.label_items import LABEL, label_from_item
from hindsight.adapters.predictions_table.match_items import ENTRY, EVENT
from hindsight.config.parse import dump_configuration
from hindsight.core.batches import chunks
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import LabelRecord
from hindsight.entities.prediction import Prediction
from hindsight.labels.history import label_at
from local.client import StackClient
from tests.stack.label_traffic import _wait_for_the_queue
from tests.stack.waiting import PATIENCE_SECONDS
from tests.unit.labels.builders import at
from tests.unit.labels.key_traffic import MANY_RULES, expected_among, many_events, many_predictions

MODEL = "shared-keys"
PAGE = 100
# KEYED_PREDICTIONS=2000 takes more than a quarter of an hour; so many are judged without a stack each time.
PREDICTIONS = int(os.environ.get("KEYED_PREDICTIONS", "200"))
# Labels are of one year, so that no clock of the stack is ahead of them.
MOVED = timedelta(days=400)
END = at(400)


@pytest.fixture(scope="module")
def predictions() -> list[Prediction]:
    return many_predictions(random.Random(23), PREDICTIONS)


@pytest.fixture(scope="module")
def events() -> list[Feedback]:
    return many_events(random.Random(29), 5 * PREDICTIONS)


@pytest.fixture(scope="module")
def histories(
    client: StackClient, predictions: list[Prediction], events: list[Feedback]
) -> dict[str, list[LabelRecord]]:
    """Send everything in a drawn order, let the clock run to the end, and read the histories of the table."""
    document = {**dump_configuration(MANY_RULES.configuration()), "model": MODEL}
    client.call("PUT", f"models/{MODEL}", key="operator", json=document)
    calls = [("predictions", page) for page in chunks(list(map(_logged, predictions)), PAGE)]
    calls += [("feedback", page) for page in chunks(list(map(_sent, events)), PAGE)]
    random.Random(31).shuffle(calls)
    for kind, page in calls:
        name = "predictions" if kind == "predictions" else "events"
        receipt = client.call("POST", f"models/{MODEL}/{kind}", key="app", json={name: page})
        assert (len(receipt["accepted"]), receipt["rejected"]) == (len(page), [])
    _wait_for(client, ENTRY, 2 * len(predictions))
    # Of retractions and events each has an item under its id.
    _wait_for(client, EVENT, len(events))
    for _ in range(3):
        _wait_for_the_queue(client)
        time.sleep(0.5)
    while not client.run_schedule("CloseWindows", END + MOVED, MODEL)["is_complete"]:
        pass
    found: dict[str, list[LabelRecord]] = {}
    for item in _items(client):
        if item["pk"].startswith(f"{MODEL}#") and item["sk"].startswith(LABEL):
            found.setdefault(item["prediction_id"], []).append(label_from_item(item))
    return found


def test_every_history_is_the_oracle_s(
    histories: dict[str, list[LabelRecord]], predictions: list[Prediction], events: list[Feedback]
) -> None:
    dice = random.Random(37)
    for one in predictions:
        for moment in (max(one.received_at, at(dice.uniform(0, 400))), END):
            expected = expected_among(one, predictions, events, moment)
            assert label_at(histories.get(one.prediction_id, []), moment + MOVED) == expected, one.prediction_id


def _logged(one: Prediction) -> dict[str, Any]:
    return {
        "prediction_id": one.prediction_id,
        "features": dict(one.features),
        "score": one.score,
        "model_version": "elsewhere",
        "entity_id": one.entity_id,
        "reference": one.reference,
        "occurred_at": _moved(one.occurred_at),
        "received_at": _moved(one.received_at),
        "outcome_due_at": _moved(one.outcome_due_at),
    }


def _sent(event: Feedback) -> dict[str, Any]:
    named = {"entity_id": event.entity_id} if event.entity_id is not None else {"reference": event.reference}
    times = {"occurred_at": _moved(event.occurred_at), "received_at": _moved(event.received_at)}
    return {"feedback_id": event.feedback_id, "name": event.name, "value": event.value, **named, **times}


def _moved(moment: datetime) -> str:
    return format_time(moment + MOVED)


def _items(client: StackClient, **request: Any) -> Iterator[dict[str, Any]]:
    pages = client.aws("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=client.stack.outputs["PredictionsTable"], **request):
        yield from map(from_item, page["Items"])


def _wait_for(client: StackClient, prefix: str, wanted: int) -> None:
    """Wait until so many items of the model's keys are there, for as long as more of them come."""
    table, most, deadline = client.stack.outputs["PredictionsTable"], -1, 0.0
    request = {
        "TableName": table,
        "Select": "COUNT",
        "FilterExpression": "#model = :model AND begins_with(pk, :key) AND begins_with(sk, :prefix)",
        "ExpressionAttributeNames": {"#model": "model"},
        "ExpressionAttributeValues": {":model": {"S": MODEL}, ":key": {"S": "#"}, ":prefix": {"S": prefix}},
    }
    pages = client.aws("dynamodb").get_paginator("scan")
    while (found := sum(page["Count"] for page in pages.paginate(**request))) < wanted:
        if found > most:
            most, deadline = found, time.monotonic() + 2 * PATIENCE_SECONDS
        assert time.monotonic() < deadline, f"{found} of {wanted} items of {prefix}"
        time.sleep(1)
