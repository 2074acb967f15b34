"""Feedback by entity and reference through the handlers: captured, joined, matched with what comes later."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.archive_predictions.app import handler as archive_predictions
from functions.capture_feedback.app import handler as capture_feedback
from functions.close_windows.app import handler as close_windows
from functions.get_model.app import handler as get_model
from functions.join_labels.app import RESERVED_MILLISECONDS
from functions.join_labels.app import handler as join_labels
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.bootstrap import stores
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import Prediction
from tests.functions.conftest import Context, FannedOut
from tests.functions.labelling import FILE, rows, write_feedback
from tests.functions.requests import send
from tests.functions.stream import inserted
from tests.unit.labels.builders import NOON, RETENTION, at, configuration, event, key, prediction

pytestmark = pytest.mark.usefixtures("deployed")
Sample = Callable[[str], dict[str, Any]]
Sent = Callable[[], list[str]]
CHURNED = {"event": "churned", "kind": "outcome", "by": "entity", "window": "P30D", "value": 1}
RETURNED = {"event": "returned", "kind": "outcome", "by": "reference", "window": "P30D", "value": 0}


@dataclass(frozen=True)
class Hurried(Context):
    """An invocation whose time is over as soon as it looks."""

    def get_remaining_time_in_millis(self) -> int:
        return RESERVED_MILLISECONDS - 1


@pytest.fixture(autouse=True)
def configured(deployed: None) -> None:
    stores.configurations().put(configuration(CHURNED, RETURNED), NOON)


def by_entity(feedback_id: str = "f-1", hours: float = 50, **changes: Any) -> Feedback:
    said = event("churned", feedback_id=feedback_id, hours=hours, **changes)
    return said.replace(prediction_id=None, entity_id="customer-17")


def of_customer(prediction_id: str, hours: float, **changes: Any) -> Prediction:
    return prediction(prediction_id, hours, **{"entity_id": "customer-17", **changes})


def log(context: Context, sent: Sent, *predictions: Prediction) -> list[str]:
    """Store predictions, archive them as the stream has it, and list the messages that ask for their join."""
    DynamoPredictions("predictions", boto3.client("dynamodb")).save(predictions, RETENTION)
    assert archive_predictions(inserted(*predictions), context) == {"batchItemFailures": []}
    return sent()


def join(context: Context, sample: Sample, *events: Feedback) -> None:
    write_feedback(*events, key=FILE)
    assert join_labels(sample("join_labels"), context) == {"batchItemFailures": []}


def deliver(context: Context, sample: Sample, *messages: str) -> None:
    record = sample("join_labels")["Records"][0]
    for message in messages:
        assert join_labels({"Records": [{**record, "body": message}]}, context) == {"batchItemFailures": []}


def values(*names: str) -> list[object]:
    collections = stores.label_store().load([key(name) for name in names])
    return [found.labels[-1].label.value if found.labels else None for found in collections]


def history(name: str) -> list[tuple[object, datetime]]:
    (found,) = stores.label_store().load([key(name)])
    return [(record.label.value, record.known_at) for record in found.labels]


def explained(name: str) -> list[dict[str, Any]]:
    path = f"/models/bike-demand/predictions/{name}"
    status, answer = send(get_model, "get_model", path=path)
    assert status == 200
    return list(answer["feedback"])


def test_event_of_an_entity_labels_its_last_prediction_before_it(context: Context, sent: Sent, sample: Sample) -> None:
    assert log(context, sent, of_customer("p-1", 1), of_customer("p-2", 40), of_customer("p-3", 60)) == []
    join(context, sample, by_entity())
    assert values("p-1", "p-2", "p-3") == [None, 1, None]


def test_event_waits_for_its_prediction_and_labels_it_once_it_is_logged(
    context: Context, sent: Sent, sample: Sample
) -> None:
    join(context, sample, by_entity())
    asked = log(context, sent, of_customer("p-1", 1))
    deliver(context, sample, *asked)
    assert values("p-1") == [1]


def test_prediction_logged_later_takes_an_event_over_and_both_histories_have_it(
    context: Context, sent: Sent, sample: Sample
) -> None:
    log(context, sent, of_customer("p-1", 1))
    join(context, sample, by_entity(received=51))
    deliver(context, sample, *log(context, sent, of_customer("p-2", 40, received_at=at(70))))
    assert history("p-1") == [(1, at(51)), (None, at(70))]
    assert history("p-2") == [(1, at(70))]
    shown = explained("p-1")
    assert [(event["disposition"], event["until"]) for event in shown] == [("taken_over", format_time(at(70)))]
    assert [(event["entity_id"], event["until"]) for event in explained("p-2")] == [("customer-17", None)]


def test_event_of_a_reference_labels_all_that_carry_it(context: Context, sent: Sent, sample: Sample) -> None:
    log(context, sent, *(of_customer(f"p-{n}", n, entity_id=None, reference="order-9") for n in range(3)))
    join(context, sample, event("returned", hours=50).replace(prediction_id=None, reference="order-9"))
    assert values("p-0", "p-1", "p-2") == [0, 0, 0]


def test_repeated_message_and_file_change_nothing(context: Context, sent: Sent, sample: Sample) -> None:
    join(context, sample, by_entity())
    asked = log(context, sent, of_customer("p-1", 1))
    deliver(context, sample, *asked)
    before = stores.label_store().load([key("p-1")])
    deliver(context, sample, *asked)
    join(context, sample, by_entity())
    assert stores.label_store().load([key("p-1")]) == before


def test_run_out_of_time_asks_for_the_rest_and_the_rest_is_joined(context: Context, sent: Sent, sample: Sample) -> None:
    join(context, sample, *(by_entity(f"f-{n}", hours=50 + n / 100) for n in range(5)))
    names = ["p-1", "p-2"]
    asked = log(context, sent, *(of_customer(name, 1 + place) for place, name in enumerate(names)))
    hurried = Hurried()
    messages, turns = list(asked), 0
    while messages:
        deliver(hurried, sample, messages.pop())  # type: ignore[arg-type]
        messages, turns = sent(), turns + 1
    assert turns > 1
    assert values(*names) == [None, 1]


def test_event_that_no_prediction_came_for_is_quarantined_after_the_match_timeout(
    context: Context, sent: Sent, fanned_out: FannedOut, sample: Sample
) -> None:
    join(context, sample, by_entity())
    for days, waiting in ((6, []), (8, ["f-1"]), (9, ["f-1"])):
        moment = format_time(at(50) + timedelta(days=days))
        fanned_out.run(close_windows, {**sample("close_windows"), "time": moment})
        assert [row["event"]["feedback_id"] for row in rows("quarantine/")] == waiting
    assert {row["code"] for row in rows("quarantine/")} == {"unmatched"}


def test_more_predictions_than_one_event_may_label_are_named_in_quarantine(
    context: Context, sent: Sent, sample: Sample
) -> None:
    made = [of_customer(f"p-{n:03d}", n / 10, entity_id=None, reference="order-9") for n in range(101)]
    log(context, sent, *made)
    join(context, sample, event("returned", hours=50).replace(prediction_id=None, reference="order-9"))
    assert values("p-000", "p-099", "p-100") == [0, 0, None]
    assert [row["code"] for row in rows("quarantine/")] == ["too_many_predictions"]


@pytest.mark.parametrize(
    ("named", "path", "message"),
    [
        ({}, "prediction_id", "is required, or entity_id or reference in its place"),
        ({"prediction_id": "p-1", "entity_id": "e"}, "entity_id", "must not stand beside prediction_id"),
        ({"prediction_id": "p-1"}, "name", "no rule of the model reads 'churned' by prediction"),
        ({"reference": "r"}, "name", "no rule of the model reads 'churned' by reference"),
        ({"entity_id": " "}, "entity_id", "blank"),
    ],
)
def test_event_that_names_no_key_of_its_rules_is_refused_by_path(
    named: dict[str, str], path: str, message: str, feedback_stream: None
) -> None:
    status, answer = send(
        capture_feedback, "capture_feedback", {"events": [{"feedback_id": "f-1", "name": "churned", **named}]}
    )
    assert status == 400
    (fault,) = answer["error"]["details"]
    assert fault["path"] == f"events[0].{path}"
    assert message in fault["message"]
