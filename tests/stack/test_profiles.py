"""Logged predictions end up in hourly profiles, each once, however often and in whatever form their log is written."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.client import StackClient
from shared.lake import PREDICTIONS, day_prefix
from shared.packing.pack import is_pack, parts_of
from shared.profiles.hourly import WindowProfile, window_profile
from shared.times import format_time
from tests.stack.waiting import eventually

MODEL = "profiled"
START = datetime(2028, 2, 1, 22, 30, tzinfo=UTC)
END = START + timedelta(hours=4)
SENT = 900
CONFIGURATION: dict[str, Any] = {
    "model": MODEL,
    "task": "binary",
    "features": {
        "temperature": {"type": "numeric", "min": -5, "max": 35},
        "channel": {"type": "categorical"},
        "holiday": {"type": "boolean"},
    },
    "labels": {"rules": [{"event": "outcome", "source": "outcome", "window": "P1D"}]},
}


def prediction(number: int) -> dict[str, Any]:
    rng = random.Random(number)
    return {
        "prediction_id": f"profiled-{number}",
        "features": {
            "temperature": None if number % 10 == 0 else rng.gauss(15, 10),
            "channel": rng.choice(["web", "app"]),
            "holiday": rng.random() < 0.1,
        },
        "score": rng.random(),
        "model_version": f"v{number % 2}",
        "occurred_at": format_time(START + timedelta(seconds=number * (4 * 3600 // SENT))),
    }


@pytest.fixture(scope="module")
def logged(client: StackClient) -> list[dict[str, Any]]:
    client.call("PUT", f"models/{MODEL}", key="operator", json=CONFIGURATION)
    rows = [prediction(number) for number in range(SENT)]
    for start in range(0, SENT, 300):
        body = {"predictions": rows[start : start + 300]}
        receipt = client.call("POST", f"models/{MODEL}/predictions", key="app", json=body)
        assert receipt["rejected"] == []
    # Sent again, they are the same predictions.
    client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": rows[:100]})
    return rows


def window(client: StackClient) -> WindowProfile:
    return window_profile(client.lake, MODEL, START, END)


def log_objects(client: StackClient) -> list[str]:
    days = {START.date(), END.date()}
    return [key for day in sorted(days) for key in client.lake.keys(day_prefix(PREDICTIONS, MODEL, day))]


def hours(client: StackClient) -> dict[str, bytes]:
    """Return the hourly profiles as they are stored."""
    return {key: client.lake.read_bytes(key) for key in client.lake.keys(f"profiles/model={MODEL}/")}


def test_every_prediction_is_in_the_profile_of_its_hour_and_version_once(
    client: StackClient, logged: list[dict[str, Any]]
) -> None:
    eventually(lambda: window(client).all.rows >= SENT)
    profile = window(client).all

    assert {version: found.rows for version, found in window(client).by_version.items()} == {"v0": 450, "v1": 450}
    temperatures = [row["features"]["temperature"] for row in logged if row["features"]["temperature"] is not None]
    temperature, channel = profile.features["temperature"], profile.features["channel"]
    assert (temperature.rows, temperature.missing) == (SENT, SENT - len(temperatures))
    assert temperature.above == sum(value > 35 for value in temperatures)
    assert temperature.numbers is not None
    assert (temperature.numbers.minimum, temperature.numbers.maximum) == (min(temperatures), max(temperatures))
    assert channel.counts["web"] == sum(row["features"]["channel"] == "web" for row in logged)
    assert sum(profile.due.values()) == SENT


def test_the_log_written_again_as_it_is_or_in_other_pieces_counts_no_prediction_twice(
    client: StackClient, logged: list[dict[str, Any]]
) -> None:
    eventually(lambda: window(client).all.rows >= SENT)
    before = hours(client)
    objects = {key: list(client.lake.read_lines(key)) for key in log_objects(client)}
    for key in objects:
        client.lake.write_bytes(key, client.lake.read_bytes(key), "application/x-ndjson")
    first = max(objects, key=lambda key: len(objects[key]))
    rows = objects[first]
    kept, moved = rows[: len(rows) // 3], rows[len(rows) // 3 :]
    client.lake.write_lines(first, kept)
    client.lake.write_lines(first.replace(".jsonl.gz", "-half.jsonl.gz"), moved)

    # Not until the queue is empty: a message of another test that failed once may lie in it for minutes.
    eventually(lambda: hours(client) != before and window(client).all.rows == SENT)
    ids = [row["prediction_id"] for row in window(client).all.sample.rows]

    assert window(client).all.rows == SENT
    assert len(ids) == len(set(ids)) > 0
    assert {version: found.rows for version, found in window(client).by_version.items()} == {"v0": 450, "v1": 450}


def test_a_log_that_is_packed_is_in_the_profiles_as_before_and_in_few_objects(
    client: StackClient, logged: list[dict[str, Any]]
) -> None:
    eventually(lambda: window(client).all.rows == SENT)
    small, before = log_objects(client), hours(client)
    assert len(small) > 2

    report = client.run_schedule("PackObjects", END + timedelta(hours=1), model=MODEL)

    assert (report["objects"], report["packs"], report["unreadable"]) == (len(small), 2, 0)
    assert [is_pack(key) for key in log_objects(client)] == [True, True]
    ids = [row["prediction_id"] for key in log_objects(client) for row in client.lake.read_lines(key)]
    assert set(ids) == {row["prediction_id"] for row in logged}
    # One that comes again is packed with the next hour's; what it says is known.
    again = next(key for key in log_objects(client))
    [part, *_] = parts_of(again, client.lake.read_bytes(again))
    client.lake.write_bytes(part.member.key, part.content + b"\n", "application/x-ndjson")
    more = prediction(SENT) | {"occurred_at": format_time(START)}
    client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": [more]})
    eventually(lambda: window(client).all.rows == SENT + 1)
    assert {key for key, content in hours(client).items() if before.get(key) != content} == {
        f"profiles/model={MODEL}/date={START.date()}/hour={START.hour:02d}.profile"
    }
