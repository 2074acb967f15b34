"""Logged predictions end up in hourly profiles, each once, however often and in whatever form their log is written."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from zlib import crc32

import pytest

from hindsight.core.times import format_time
from hindsight.lake.object_store import PREDICTIONS, day_prefix
from hindsight.lake.pack import is_pack, parts_of
from hindsight.profiles.logs.hourly import WindowProfile, window_profile
from local.client import StackClient
from tests.stack.waiting import eventually

START = datetime(2028, 2, 1, 22, 30, tzinfo=UTC)
END = START + timedelta(hours=4)
SENT = 900
CONFIGURATION: dict[str, Any] = {
    "task": "binary",
    "features": {
        "temperature": {"type": "numeric", "min": -5, "max": 35},
        "channel": {"type": "categorical"},
        "holiday": {"type": "boolean"},
    },
    "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "P1D"}]},
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


@dataclass(frozen=True)
class Logged:
    """A model of the test's own, and the predictions that were logged of it."""

    client: StackClient
    model: str
    rows: list[dict[str, Any]]

    @property
    def window(self) -> WindowProfile:
        return window_profile(self.client.lake, self.model, START, END)

    @property
    def objects(self) -> list[str]:
        days = sorted({START.date(), END.date()})
        return [key for day in days for key in self.client.lake.keys(day_prefix(PREDICTIONS, self.model, day))]

    @property
    def hours(self) -> dict[str, bytes]:
        """The hourly profiles as they are stored."""
        return {key: self.client.lake.read_bytes(key) for key in self.client.lake.keys(f"profiles/model={self.model}/")}

    def log(self, rows: list[dict[str, Any]]) -> None:
        receipt = self.client.call("POST", f"models/{self.model}/predictions", key="app", json={"predictions": rows})
        assert receipt["rejected"] == []


@pytest.fixture
def logged(client: StackClient, request: pytest.FixtureRequest) -> Logged:
    found = Logged(client, f"profiled-{crc32(request.node.name.encode()):08x}", [prediction(n) for n in range(SENT)])
    client.call("PUT", f"models/{found.model}", key="operator", json={"model": found.model, **CONFIGURATION})
    for start in range(0, SENT, 300):
        found.log(found.rows[start : start + 300])
    # Sent again, they are the same predictions.
    found.log(found.rows[:100])
    return found


def test_every_prediction_is_in_the_profile_of_its_hour_and_version_once(logged: Logged) -> None:
    eventually(lambda: logged.window.all.rows >= SENT)
    profile = logged.window.all

    assert {version: found.rows for version, found in logged.window.by_version.items()} == {"v0": 450, "v1": 450}
    temperatures = [row["features"]["temperature"] for row in logged.rows if row["features"]["temperature"] is not None]
    temperature, channel = profile.features["temperature"], profile.features["channel"]
    assert (temperature.rows, temperature.missing) == (SENT, SENT - len(temperatures))
    assert temperature.above == sum(value > 35 for value in temperatures)
    assert temperature.numbers is not None
    assert (temperature.numbers.minimum, temperature.numbers.maximum) == (min(temperatures), max(temperatures))
    assert channel.counts["web"] == sum(row["features"]["channel"] == "web" for row in logged.rows)
    assert sum(profile.due.values()) == SENT


def test_the_log_written_again_as_it_is_or_in_other_pieces_counts_no_prediction_twice(logged: Logged) -> None:
    eventually(lambda: logged.window.all.rows >= SENT)
    before = logged.hours
    objects = {key: list(logged.client.lake.read_lines(key)) for key in logged.objects}
    for key in objects:
        logged.client.lake.write_bytes(key, logged.client.lake.read_bytes(key), "application/x-ndjson")
    first = max(objects, key=lambda key: len(objects[key]))
    rows = objects[first]
    kept, moved = rows[: len(rows) // 3], rows[len(rows) // 3 :]
    logged.client.lake.write_lines(first, kept)
    logged.client.lake.write_lines(first.replace(".jsonl.gz", "-half.jsonl.gz"), moved)

    # Not until the queue is empty: a message of another test that failed once may lie in it for minutes.
    eventually(lambda: logged.hours != before and logged.window.all.rows == SENT)
    ids = [row["prediction_id"] for row in logged.window.all.sample.rows]

    assert logged.window.all.rows == SENT
    assert len(ids) == len(set(ids)) > 0
    assert {version: found.rows for version, found in logged.window.by_version.items()} == {"v0": 450, "v1": 450}


def test_a_log_that_is_packed_is_in_the_profiles_as_before_and_in_few_objects(logged: Logged) -> None:
    eventually(lambda: logged.window.all.rows == SENT)
    small, before = logged.objects, logged.hours
    days = [len(list(keys)) for _, keys in groupby(small, lambda key: key.rpartition("/")[0])]
    packed = [count for count in days if count > 1]
    assert packed

    report = logged.client.run_schedule("PackObjects", END + timedelta(hours=1), model=logged.model)

    assert (report["objects"], report["packs"], report["unreadable"]) == (sum(packed), len(packed), 0)
    assert sum(map(is_pack, logged.objects)) == len(packed)
    assert len(logged.objects) == len(days)
    ids = [row["prediction_id"] for key in logged.objects for row in logged.client.lake.read_lines(key)]
    assert set(ids) == {row["prediction_id"] for row in logged.rows}
    # One that comes again is packed with the next hour's; what it says is known.
    again = next(key for key in logged.objects if is_pack(key))
    [part, *_] = parts_of(again, logged.client.lake.read_bytes(again))
    logged.client.lake.write_bytes(part.member.key, part.content + b"\n", "application/x-ndjson")
    logged.log([prediction(SENT) | {"occurred_at": format_time(START)}])
    eventually(lambda: logged.window.all.rows == SENT + 1)
    assert {key for key, content in logged.hours.items() if before.get(key) != content} == {
        f"profiles/model={logged.model}/date={START.date()}/hour={START.hour:02d}.profile"
    }
