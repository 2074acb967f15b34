from datetime import timedelta
from typing import Any

import pytest

from hindsight.config.metrics import Task
from hindsight.lake.object_store import LABELS, PREDICTIONS, day_prefix
from hindsight.profiles.build import profile_rows
from hindsight.profiles.logs.hour import HourProfiles, LogPiece, decode_hour, encode_hour
from hindsight.profiles.logs.hourly import hour_key
from hindsight.testing.aws.lake import InMemoryLake
from local.replay import arrivals
from local.replay.arrivals import Arrivals
from tests.unit.local.files import START

SPAN = (START, START + timedelta(days=1))


class CountingLake(InMemoryLake):
    """Counts how often each object is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    def read_lines(self, key: str) -> Any:
        self.reads.append(key)
        return super().read_lines(key)


@pytest.fixture
def lake() -> CountingLake:
    return CountingLake()


@pytest.fixture
def arrived(lake: CountingLake) -> Arrivals:
    return Arrivals(lake, "m")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "PATIENCE_SECONDS", 0.1)


def write(lake: InMemoryLake, kind: str, name: str, *rows: dict[str, Any], days: int = 0, model: str = "m") -> None:
    lake.write_lines(f"{day_prefix(kind, model, (START + timedelta(days=days)).date())}{name}.jsonl.gz", rows)


def label(name: str, value: int, seq: int = 1) -> dict[str, Any]:
    return {"prediction_id": name, "seq": seq, "value": value}


def test_waiting_ends_when_everything_has_arrived(lake: CountingLake, arrived: Arrivals) -> None:
    write(lake, PREDICTIONS, "a", {"prediction_id": "p"})
    write(lake, PREDICTIONS, "b", {"prediction_id": "q"}, days=1)
    assert arrived.wait_for_predictions(["p", "q"], SPAN)


def test_waiting_ends_with_an_error_when_something_does_not_arrive(lake: CountingLake, arrived: Arrivals) -> None:
    write(lake, LABELS, "a", label("p", 1))
    write(lake, LABELS, "a", label("q", 1), model="n")
    write(lake, LABELS, "a", label("q", 1), days=2)
    assert not arrived.wait_for_labels(["p", "q"], SPAN)


def test_each_object_is_read_once(lake: CountingLake, arrived: Arrivals) -> None:
    write(lake, LABELS, "a", label("p", 1))
    arrived.wait_for_labels(["p"], SPAN)
    write(lake, LABELS, "b", label("q", 1))
    arrived.wait_for_labels(["p", "q"], SPAN)
    arrived.read_labels(SPAN)
    assert len(lake.reads) == len(set(lake.reads)) == 2


def test_label_with_the_highest_seq_wins_in_any_order_of_arrival(lake: CountingLake, arrived: Arrivals) -> None:
    write(lake, LABELS, "a", label("p", 0, seq=2), label("q", 0))
    write(lake, LABELS, "b", label("p", 1, seq=1), label("q", 1, seq=2))
    arrived.read_labels(SPAN)
    assert arrived.labels == {"p": (2, 0), "q": (2, 1)}


def test_nothing_expected_is_nothing_to_wait_for(arrived: Arrivals) -> None:
    assert arrived.wait_for_labels([], SPAN)


def profile(lake: InMemoryLake, *names: str, version: str = "v1") -> None:
    rows = [{"prediction_id": name, "features": {}, "score": 0.5, "decision": 1} for name in names]
    piece = LogPiece(len(lake.objects), 1, {version: profile_rows(rows, {}, Task.BINARY)})
    key = hour_key("m", START.date(), "05")
    held = decode_hour(lake.read_bytes(key)) if key in lake.objects else HourProfiles()
    lake.write_bytes(key, encode_hour(held.add([piece])), "application/x-msgpack")


def test_waiting_for_profiles_ends_when_every_prediction_is_in_one(lake: CountingLake, arrived: Arrivals) -> None:
    write(lake, PREDICTIONS, "a", {"prediction_id": "p"}, {"prediction_id": "q"}, {"prediction_id": "r"})
    assert arrived.wait_for_predictions(["p", "q", "r"], SPAN)
    profile(lake, "p")
    assert not arrived.wait_for_profiles()
    profile(lake, "q", version="v2")
    profile(lake, "r")
    assert arrived.wait_for_predictions(["p", "q", "r"], SPAN)
    assert arrived.wait_for_profiles()
