import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hindsight.adapters.aws.event_bus import EventBridgeAnnouncements
from hindsight.core.announcements import Announcement
from hindsight.core.errors import Unavailable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Bus:
    """EventBridge as its client shows it: it answers 200 and names the entries it did not take."""

    def __init__(self, *refusals: set[str] | ClientError) -> None:
        self.refusals = list(refusals)
        self.calls: list[list[str]] = []
        self.taken: list[dict[str, Any]] = []

    def put_events(self, **request: Any) -> dict[str, Any]:
        entries = request["Entries"]
        refused = self.refusals.pop(0) if self.refusals else set()
        if isinstance(refused, ClientError):
            raise refused
        self.calls.append([entry["DetailType"] for entry in entries])
        self.taken += [entry for entry in entries if entry["DetailType"] not in refused]
        results = [
            {"ErrorCode": "InternalFailure"} if entry["DetailType"] in refused else {"EventId": "1"}
            for entry in entries
        ]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}


def announcements(*names: str) -> list[Announcement]:
    return [Announcement(name=name, correlation_id="c", at=NOW, data={"model": "bike"}) for name in names]


def publish(bus: Any, *names: str) -> list[float]:
    waits: list[float] = []
    EventBridgeAnnouncements("events", bus, waits.append).publish(announcements(*names))
    return waits


def test_an_announcement_stands_in_the_envelope_the_state_machines_use() -> None:
    bus = Bus()
    publish(bus, "DriftDetected")
    (entry,) = bus.taken
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("events", "hindsight", "DriftDetected")
    assert json.loads(entry["Detail"]) == {
        "metadata": {"version": 1, "correlation_id": "c", "created_at": "2026-03-01T12:00:00.000000Z"},
        "data": {"model": "bike"},
    }


def test_only_rejected_entries_are_sent_again() -> None:
    bus = Bus({"b", "c"}, {"c"})
    assert len(publish(bus, "a", "b", "c")) == 2
    assert bus.calls == [["a", "b", "c"], ["b", "c"], ["c"]]
    assert [entry["DetailType"] for entry in bus.taken] == ["a", "b", "c"]


def test_a_bus_that_keeps_refusing_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        publish(Bus(*[{"a"}] * 10), "a")


def test_throttled_call_is_sent_again_and_any_other_error_is_raised() -> None:
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "PutEvents")
    bus = Bus(throttled)
    assert len(publish(bus, "a")) == 1
    assert [entry["DetailType"] for entry in bus.taken] == ["a"]
    with pytest.raises(Unavailable):
        publish(Bus(*[throttled] * 10), "a")
    with pytest.raises(ClientError, match="AccessDenied"):
        publish(Bus(ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "PutEvents")), "a")


def test_a_call_holds_ten_at_most_and_nothing_is_no_call() -> None:
    bus = Bus()
    publish(bus, *map(str, range(25)))
    assert [len(call) for call in bus.calls] == [10, 10, 5]
    publish(bus)
    assert len(bus.calls) == 3
