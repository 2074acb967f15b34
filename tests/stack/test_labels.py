"""Ten thousand events about two thousand predictions, through the API, out of order: every label is the oracle's."""

import time
from collections import Counter

import pytest

from hindsight.adapters.predictions_table.label_items import FEEDBACK, LABEL, feedback_from_item, label_from_item
from hindsight.config.parse import dump_configuration
from hindsight.entities.feedback import Feedback
from hindsight.labels.history import label_at
from local.client import StackClient
from tests.stack.label_traffic import (
    DEFAULT,
    END,
    MODEL,
    RULES,
    SENT,
    SHARES,
    Outcome,
    Traffic,
    _items,
    _joined_events,
    _log,
    _pages,
    _wait_for_the_queue,
)
from tests.stack.waiting import PATIENCE_SECONDS
from tests.unit.labels.oracle import expected_label
from tests.unit.labels.strategies import RuleSet


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
    _wait_for_the_queue(client)
    while (joined := _joined_events(client)) < wanted:
        assert time.monotonic() < deadline, f"{joined} of {wanted} events were joined"
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


def test_traffic_contains_the_promised_cases(traffic: Traffic) -> None:
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


def test_api_explains_the_labels_of_the_table(client: StackClient, outcome: Outcome, traffic: Traffic) -> None:
    for name in list(traffic.made)[::100]:
        explained = client.call("GET", f"models/{MODEL}/predictions/{name}", key="operator")
        assert [row["seq"] for row in explained["labels"]] == [record.seq for record in outcome.labels[name]]
        assert {row["feedback_id"] for row in explained["feedback"]} == {
            event.feedback_id for event in outcome.feedback[name]
        }
        retracted = {event.value for event in outcome.feedback[name] if event.name == "retracted"}
        assert {row["feedback_id"] for row in explained["feedback"] if row["retracted"]} == retracted
