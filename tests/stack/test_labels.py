"""Ten thousand events about two thousand predictions, through the API, out of order: every label is the oracle's."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace as msgspec_replace

from functions.join_labels.app import RESERVED_MILLISECONDS
from hindsight.adapters.dynamodb.requests import from_item
from hindsight.adapters.predictions_table.label_items import FEEDBACK, LABEL, feedback_from_item, label_from_item
from hindsight.config.parse import dump_configuration
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import LabelRecord
from hindsight.entities.prediction import body_digest
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.history import label_at
from hindsight.labels.joining.feedback_files import CHUNK_LINES
from local.client import StackClient
from tests.stack.waiting import PATIENCE_SECONDS, eventually
from tests.unit.labels.oracle import expected_label
from tests.unit.labels.strategies import RuleSet

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
    """What apps send about the predictions, in the order in which they send it."""

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
        withdrawn = rng.sample(first, count["retractions"])
        conflicting = rng.sample([event for event in first if event["name"] == "demand"], count["conflicts"])
        self.sent = [
            *first,
            *(_retraction(event, rng) for event in withdrawn),
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
        """Return the events by prediction, as they should be read."""
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
    """What the stack made of it."""

    feedback: dict[str, list[Feedback]]
    labels: dict[str, list[LabelRecord]]


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    return Traffic(seed=11)


@pytest.fixture(scope="module")
def outcome(client: StackClient, traffic: Traffic) -> Outcome:
    """Send everything, let the clock run to the end, and read back what is in the table."""
    rules = RuleSet("binary", RULES, DEFAULT)
    document = {**dump_configuration(rules.configuration()), "model": MODEL}
    client.call("PUT", f"models/{MODEL}", key="operator", json=document)
    early = set(traffic.early)
    _log(client, traffic, [name for name in traffic.made if name not in early])
    for page in _pages(traffic.sent):
        receipt = client.call("POST", f"models/{MODEL}/feedback", key="app", json={"events": page})
        assert receipt == {"accepted": [event["feedback_id"] for event in page], "rejected": []}
    # The join is still at work on what came before them.
    _log(client, traffic, traffic.early)
    wanted = len({event["feedback_id"] for event in traffic.sent})
    deadline = time.monotonic() + 2 * PATIENCE_SECONDS
    while (joined := sum(1 for item in _items(client) if item["sk"].startswith(FEEDBACK))) < wanted:
        assert time.monotonic() < deadline, f"{joined} of {wanted} events were joined"
        time.sleep(0.5)
    _wait_for_the_queue(client)
    while not client.run_schedule("CloseWindows", END, MODEL)["is_complete"]:
        assert time.monotonic() < deadline
    found = Outcome({name: [] for name in traffic.made}, {name: [] for name in traffic.made})
    for item in _items(client):
        if item["sk"].startswith(FEEDBACK):
            found.feedback[item["prediction_id"]].append(feedback_from_item(item))
        elif item["sk"].startswith(LABEL):
            found.labels[item["prediction_id"]].append(label_from_item(item))
    return found


def test_the_traffic_is_what_it_says(traffic: Traffic) -> None:
    bodies = Counter((event["feedback_id"], str(event["value"])) for event in traffic.sent)
    ids = Counter(feedback_id for feedback_id, _ in bodies)
    early = [event for event in traffic.sent if event["prediction_id"] in set(traffic.early)]
    assert len(traffic.sent) == SENT
    assert sum(bodies.values()) - len(bodies) == SENT * SHARES["duplicates"]
    assert 0.9 * SENT * SHARES["conflicts"] < sum(count - 1 for count in ids.values()) <= SENT * SHARES["conflicts"]
    assert sum(event["name"] == "retracted" for event in traffic.sent) >= SENT * SHARES["retractions"]
    assert 0.08 * SENT < len(early) < 0.12 * SENT


def test_every_final_label_is_the_oracle_s(outcome: Outcome, traffic: Traffic) -> None:
    about = traffic.about()
    for name, made in traffic.made.items():
        label = label_at(outcome.labels[name], END)
        expected = expected_label(made, about[name], END, rules=RULES, default=DEFAULT, task="binary")
        assert (label.value, label.status.value, label.kind, label.event, label.disagreeing) == expected, name


def test_no_event_is_lost_and_none_is_doubled(outcome: Outcome, traffic: Traffic) -> None:
    for name, events in traffic.about().items():
        first: dict[str, Feedback] = {}
        for event in sorted(events, key=lambda event: (event.received_at, event.occurred_at)):
            first.setdefault(event.feedback_id, event)
        kept = {event.feedback_id: (event.value, event.received_at) for event in outcome.feedback[name]}
        assert len(outcome.feedback[name]) == len(kept)
        assert kept == {event.feedback_id: (event.value, event.received_at) for event in first.values()}


def test_every_history_counts_on_without_a_gap(outcome: Outcome) -> None:
    for records in outcome.labels.values():
        assert sorted(record.seq for record in records) == list(range(1, len(records) + 1))


def test_every_conflict_was_set_aside(client: StackClient, outcome: Outcome, traffic: Traffic) -> None:
    kept = {event.feedback_id: event.value for events in outcome.feedback.values() for event in events}
    displaced = {
        (event["feedback_id"], event["value"])
        for event in traffic.sent
        if event["name"] == "demand" and event["value"] != kept[event["feedback_id"]]
    }
    aside = {
        (row["event"]["feedback_id"], row["event"]["value"])
        for key in client.lake.keys(f"quarantine/model={MODEL}/")
        for row in client.lake.read_lines(key)
        if row["code"] == "conflict"
    }
    # Out of order, a body may be displaced by one received before it, and win in the end by an earlier delivery.
    winners = {(feedback_id, kept[feedback_id]) for feedback_id, _ in displaced}
    assert len(displaced) > 150
    assert displaced <= aside <= displaced | winners


def test_the_api_explains_what_the_table_holds(client: StackClient, outcome: Outcome, traffic: Traffic) -> None:
    for name in list(traffic.made)[::100]:
        explained = client.call("GET", f"models/{MODEL}/predictions/{name}", key="operator")
        assert [row["seq"] for row in explained["labels"]] == [record.seq for record in outcome.labels[name]]
        assert {row["feedback_id"] for row in explained["feedback"]} == {
            event.feedback_id for event in outcome.feedback[name]
        }
        withdrawn = {event.value for event in outcome.feedback[name] if event.name == "retracted"}
        assert {row["feedback_id"] for row in explained["feedback"] if row["retracted"]} == withdrawn


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


def test_a_file_that_outlasts_a_run_is_joined_to_its_end(client: StackClient) -> None:
    model, moment = "outlasting", END + timedelta(days=1)
    rule = {
        "event": "demand",
        "kind": "outcome",
        "window": "P1D",
        "aggregate": "last",
        "positive": {"greater_than": 1},
    }
    document = {
        "model": model,
        "task": "binary",
        "features": {"hour": {"type": "numeric"}},
        "labels": {"rules": [rule]},
    }
    client.call("PUT", f"models/{model}", key="operator", json=document)
    row = {"features": {"hour": 1}, "score": 0.5, "model_version": "v", "occurred_at": format_time(moment)}
    rows = [{**row, "prediction_id": name} for name in ("first", "last")]
    client.call("POST", f"models/{model}/predictions", key="app", json={"predictions": rows})
    said = Feedback(
        model=model,
        prediction_id="first",
        feedback_id="again",
        name="demand",
        value=2,
        occurred_at=moment,
        received_at=moment,
        source=None,
        body_digest="d",
    )
    lines = [said] * CHUNK_LINES + [msgspec_replace(said, prediction_id="last")]
    functions, name = client.aws("lambda"), client.stack.outputs["JoinLabelsFunction"]
    timeout = functions.get_function_configuration(FunctionName=name)["Timeout"]

    # Less than a run keeps in reserve: each joins what it must, and leaves the rest to the next.
    functions.update_function_configuration(FunctionName=name, Timeout=RESERVED_MILLISECONDS // 1000)
    try:
        content = b"".join(map(feedback_line, lines))
        client.lake.write_bytes(f"feedback/date={moment:%Y-%m-%d}/outlasting", content, "application/x-ndjson")
        for prediction_id in ("first", "last"):
            path = f"models/{model}/predictions/{prediction_id}"
            told = eventually(lambda path=path: client.call("GET", path, key="operator")["labels"])
            # The same event on every line but the last gives one label; the last line is another prediction's.
            assert [label["value"] for label in told] == [1], prediction_id
    finally:
        functions.update_function_configuration(FunctionName=name, Timeout=timeout)
