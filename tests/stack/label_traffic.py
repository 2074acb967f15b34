"""Traffic for the tests of labels on a stack."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.adapters.dynamodb.requests import from_item
from hindsight.adapters.predictions_table.label_items import FEEDBACK
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import LabelRecord
from hindsight.entities.prediction import body_digest
from local.client import StackClient
from tests.stack.waiting import PATIENCE_SECONDS

MODEL = "everything"


START = datetime(2027, 5, 1, tzinfo=UTC)


END = START + timedelta(days=90)


PREDICTIONS = 2000


SENT = 10_000


SHARES = {"duplicates": 0.2, "early": 0.1, "late": 0.1, "retractions": 0.05, "conflicts": 0.02}


PAGE = 500


RULES: list[dict[str, Any]] = [
    {"event": "annotation", "kind": "manual", "window": None, "aggregate": "last"},
    {"event": "demand", "kind": "outcome", "window": timedelta(days=2), "aggregate": "last", "above": 100},
    {
        "event": "thumb",
        "kind": "explicit",
        "window": timedelta(days=7),
        "aggregate": "majority",
        "map": {"up": 1, "down": 0},
    },
    {"event": "purchase", "kind": "action", "window": timedelta(days=1), "aggregate": "any", "value": 1},
]


DEFAULT = {"value": 0, "after": timedelta(days=7), "exposure": True}


VALUES: dict[str, tuple[Any, ...]] = {
    "annotation": (0, 1),
    "demand": tuple(range(0, 200, 7)),
    "thumb": ("up", "down"),
    "purchase": (None, 9.99),
    "exposed": (None,),
}


WINDOWS = {rule["event"]: rule["window"] or timedelta(days=20) for rule in RULES} | {"exposed": timedelta(days=7)}


@dataclass
class Traffic:
    """Feedback of apps about the predictions, in the order in which it is sent."""

    seed: int
    made: dict[str, datetime] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)
        self.made = {f"p-{number:05d}": START + timedelta(minutes=number) for number in range(PREDICTIONS)}
        count = {name: int(SENT * share) for name, share in SHARES.items()}
        first = [
            self._event(rng, number, is_late=number < count["late"])
            for number in range(SENT - count["duplicates"] - count["retractions"] - count["conflicts"])
        ]
        retracted = rng.sample(first, count["retractions"])
        conflicting = rng.sample([event for event in first if event["name"] == "demand"], count["conflicts"])
        self.sent = [
            *first,
            *(_retraction(event, rng) for event in retracted),
            *({**event, "value": 199, "received_at": _later(event["received_at"], rng)} for event in conflicting),
        ]
        repeated = rng.choices(self.sent, k=count["duplicates"])
        self.sent += [{**event, "received_at": _later(event["received_at"], rng)} for event in repeated]
        rng.shuffle(self.sent)

    @property
    def early(self) -> list[str]:
        """The predictions that are logged only once everything about them has been sent."""
        return list(self.made)[: int(PREDICTIONS * SHARES["early"])]

    def about(self) -> dict[str, list[Feedback]]:
        """Group the events by prediction, as they should be read."""
        found: dict[str, list[Feedback]] = {name: [] for name in self.made}
        for event in self.sent:
            times = {name: datetime.fromisoformat(event[name]) for name in ("occurred_at", "received_at")}
            digest = body_digest({name: event[name] for name in ("feedback_id", "name", "value", "occurred_at")})
            found[event["prediction_id"]].append(
                Feedback(**{**event, **times}, model=MODEL, source=None, body_digest=digest)
            )
        return found

    def _event(self, rng: random.Random, number: int, *, is_late: bool) -> dict[str, Any]:
        prediction_id = rng.choice(list(self.made))
        choices = ("demand", "thumb", "purchase") if is_late else ("demand", "demand", *VALUES)
        name = rng.choice(choices)
        made, window = self.made[prediction_id], WINDOWS[name]
        # One in twenty lies beyond its window, and so changes nothing.
        occurred_at = made + window * rng.uniform(0, 1 if is_late else 1.05)
        received_at = made + window + rng.random() * timedelta(days=9) if is_late else occurred_at
        return {
            "feedback_id": f"f-{number:05d}",
            "prediction_id": prediction_id,
            "name": name,
            "value": rng.choice(VALUES[name]),
            "occurred_at": format_time(occurred_at),
            "received_at": format_time(received_at),
        }


@dataclass
class Outcome:
    """The labels and counts that the stack made of the traffic."""

    feedback: dict[str, list[Feedback]]
    labels: dict[str, list[LabelRecord]]


def _retraction(event: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    later = _later(event["received_at"], rng)
    fields = {"feedback_id": f"r-{event['feedback_id']}", "name": "retracted", "value": event["feedback_id"]}
    return {**event, **fields, "occurred_at": later, "received_at": later}


def _later(moment: str, rng: random.Random) -> str:
    return format_time(datetime.fromisoformat(moment) + rng.random() * timedelta(days=3) + timedelta(seconds=1))


def _pages(values: list[Any]) -> Iterator[list[Any]]:
    yield from (values[start : start + PAGE] for start in range(0, len(values), PAGE))


def _log(client: StackClient, traffic: Traffic, names: list[str]) -> None:
    for page in _pages(names):
        rows = [
            {
                "prediction_id": name,
                "features": {"hour": "17", "temperature": 0.3},
                "score": 0.5,
                "model_version": "elsewhere",
                "occurred_at": format_time(traffic.made[name]),
            }
            for name in page
        ]
        receipt = client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": rows})
        assert receipt == {"accepted": page, "rejected": []}


def _items(client: StackClient) -> Iterator[dict[str, Any]]:
    pages = client.aws("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=client.stack.outputs["PredictionsTable"]):
        yield from (item for item in map(from_item, page["Items"]) if item["pk"].startswith(f"{MODEL}#"))


def _joined_events(client: StackClient) -> int:
    """Count the events in the table; the scan goes through all of it, so ask seldom."""
    time.sleep(1)
    pages = (
        client.aws("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=client.stack.outputs["PredictionsTable"],
            Select="COUNT",
            FilterExpression="begins_with(pk, :model) AND begins_with(sk, :feedback)",
            ExpressionAttributeValues={":model": {"S": f"{MODEL}#"}, ":feedback": {"S": FEEDBACK}},
        )
    )
    return sum(page["Count"] for page in pages)


def _wait_for_the_queue(client: StackClient) -> None:
    """Wait until every feedback file, the repeated events in it too, has been joined."""
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    queue, deadline = client.stack.outputs["FeedbackFilesQueueUrl"], time.monotonic() + 2 * PATIENCE_SECONDS
    while True:
        found = client.aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=list(counts))["Attributes"]
        if not any(int(found[name]) for name in counts):
            return
        assert time.monotonic() < deadline, f"the queue still holds {found}"
        time.sleep(0.2)
