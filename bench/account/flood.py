"""More than the account has room for: what is refused is sent again, and nothing acknowledged is lost."""

import random
from datetime import timedelta
from typing import Any

from bench.account.phase import Phase, close_windows, settled, wait_for_queues
from bench.chaos.apps import Apps
from bench.chaos.reconcile import Reality, read_reality, reconcile
from bench.chaos.traffic import END, START, Item, Traffic, configuration
from hindsight.core.times import format_time
from local.client import StackClient

MODEL, NOTES = "flooded", "flooded-notes"
# More than the ten functions that an account runs at once: each call is one of the authorizer too, at first.
SENDERS = 24
# So few find room, and bring more than Firehose takes a second.
SENDERS_OF_BYTES = 8
# As long as a value may be, nearly: a full call is more than half of what Firehose takes a second.
TEXT = "x" * 1000
LARGEST_CALL = 500
PREDICTIONS = 200
_DRAIN_SECONDS = 300.0


def flood_of_calls(client: StackClient, events: int) -> Phase:
    """Send events of every kind in more calls at once than there is room for; reconcile."""
    phase, traffic = Phase("flood of calls"), Traffic(model=MODEL, seed=1, events=events)
    client.call("PUT", f"models/{MODEL}", key="operator", json=configuration(MODEL))
    apps = _apps(client, traffic)
    with phase.timed():
        apps.send(random.Random(1))
        wait_for_queues(client, _DRAIN_SECONDS)

    def judge() -> Phase:
        close_windows(client, END, MODEL)
        account = reconcile(traffic, apps, read_reality(client, MODEL))
        found = Phase(phase.name, account.sent, account.lost, account.doubled, account.missing, phase.seconds)
        found.unexplained = [f"{phase.name}: {what}" for what in account.unexplained]
        found.figures = {"calls": apps.calls, "refused": _refusals(apps), "labelled": account.labelled}
        return found

    return settled(judge, _DRAIN_SECONDS)


def flood_of_bytes(client: StackClient, count: int) -> Phase:
    """Send events that are large, more than Firehose takes a second; reconcile."""
    phase, rng = Phase("flood of bytes"), random.Random(2)
    client.call("PUT", f"models/{NOTES}", key="operator", json=_notes_configuration())
    logged = [_prediction(number) for number in range(PREDICTIONS)]
    sent = [_note(number) for number in range(count)]
    apps = _apps(client, Traffic(model=NOTES, seed=2, events=10), SENDERS_OF_BYTES)
    with phase.timed():
        apps.send_all("predictions", logged, "prediction_id", rng)
        apps.send_all("feedback", sent, "feedback_id", rng, LARGEST_CALL)
        wait_for_queues(client, _DRAIN_SECONDS)

    def judge() -> Phase:
        close_windows(client, END, NOTES)
        found = Phase(phase.name, len(logged) + len(sent), seconds=phase.seconds)
        found.figures = {
            "calls": apps.calls,
            "refused": _refusals(apps),
            "megabytes": round(count * len(TEXT) / 1e6, 1),
        }
        _reckon(found, apps, read_reality(client, NOTES), {item["prediction_id"] for item in logged}, sent)
        return found

    return settled(judge, _DRAIN_SECONDS)


def _reckon(phase: Phase, apps: Apps, reality: Reality, logged: set[str], sent: list[Item]) -> None:
    """Hold a model whose every prediction was said yes to against what is kept of it."""
    kept = {feedback_id for _, feedback_id in reality.events}
    events = {event["feedback_id"] for event in sent}
    phase.count("missing", sorted((logged | events) - apps.accepted))
    phase.count("missing", sorted(logged - (reality.predictions & reality.raw_predictions)))
    phase.count("missing", sorted(events - (kept & reality.raw_events)))
    said = {event["prediction_id"] for event in sent}
    for name in sorted(said):
        records = reality.labels.get(name, [])
        values = {records[-1].get("value") if records else None, str(reality.records.get(name, {}).get("value"))}
        if sorted(int(record["seq"]) for record in records) != list(range(1, len(records) + 1)):
            phase.count("doubled", [name])
        if values != {"1"}:
            phase.count("lost", [f"{name} is labelled {values}"])


def _apps(client: StackClient, traffic: Traffic, senders: int = SENDERS) -> Apps:
    return Apps(client.stack.api_url.rstrip("/"), client.stack.keys["app"], traffic, senders=senders)


def _refusals(apps: Apps) -> dict[str, int]:
    return {str(status): count for status, count in sorted(apps.refused.items())}


def _notes_configuration() -> dict[str, Any]:
    rule = {"event": "note", "kind": "explicit", "window": "P2D", "map": {TEXT: 1, "none": 0}}
    return {**configuration(NOTES), "task": "binary", "labels": {"rules": [rule]}}


def _prediction(number: int) -> Item:
    made = {"features": {"x": 1.0}, "score": 0.5, "model_version": "elsewhere", "occurred_at": format_time(START)}
    return {"prediction_id": f"p{number:05d}", **made}


def _note(number: int) -> Item:
    moment = format_time(START + timedelta(seconds=number))
    about = {"prediction_id": f"p{number % PREDICTIONS:05d}", "occurred_at": moment, "received_at": moment}
    return {"feedback_id": f"n{number:06d}", "name": "note", "value": TEXT, **about}
