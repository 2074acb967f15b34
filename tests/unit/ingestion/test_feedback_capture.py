"""Feedback is durable before it is acknowledged, and only what a rule can read is taken."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from hindsight.core.errors import InvalidInput, Unavailable
from hindsight.ingestion.feedback_capture import FeedbackCapture, FeedbackReader
from hindsight.testing.builders.configuration import configuration
from hindsight.validation.timestamps import ClientTimestamps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class RecordedStream:
    """A stream that keeps appended lines."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def append(self, lines: Sequence[bytes]) -> None:
        self.lines.extend(lines)


class BrokenStream:
    """Never takes anything."""

    def append(self, lines: Sequence[bytes]) -> None:
        raise Unavailable("busy")


def event(**changes: Any) -> dict[str, Any]:
    return {"feedback_id": "f-1", "prediction_id": "p-1", "name": "demand", "value": 120, **changes}


def capture(stream: RecordedStream, *events: Any, trust: ClientTimestamps = ClientTimestamps.BOUNDED) -> Any:
    return FeedbackCapture(stream, trust).capture(configuration(), events, NOW)


def test_every_accepted_event_is_one_line_of_the_stream() -> None:
    stream = RecordedStream()

    receipt = capture(stream, event(), event(feedback_id="f-2", name="thumb", value="up", source="web"))

    rows = [json.loads(line) for line in stream.lines]
    assert receipt.accepted == ["f-1", "f-2"]
    assert [(row["feedback_id"], row["name"], row["value"]) for row in rows] == [
        ("f-1", "demand", 120),
        ("f-2", "thumb", "up"),
    ]
    assert {row["model"] for row in rows} == {"bike-demand"}
    assert {row["received_at"] for row in rows} == {"2026-03-01T12:00:00.000000Z"}


def test_nothing_is_acknowledged_that_the_stream_did_not_take() -> None:
    with pytest.raises(Unavailable):
        FeedbackCapture(BrokenStream(), ClientTimestamps.BOUNDED).capture(configuration(), [event()], NOW)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "colour"}, "events[1].name"),
        ({"value": "many"}, "events[1].value"),
        ({"value": None}, "events[1].value"),
        ({"value": {"nested": 1}}, "events[1].value"),
        ({"name": "thumb", "value": "sideways"}, "events[1].value"),
        ({"name": "retracted", "value": 7}, "events[1].value"),
        ({"feedback_id": ""}, "events[1].feedback_id"),
        ({"feedback_id": "f" * 129}, "events[1].feedback_id"),
        ({"prediction_id": 5}, "events[1].prediction_id"),
        ({"occurred_at": "2026-03-01T12:05:01Z"}, "events[1].occurred_at"),
        ({"occurred_at": 1772366400}, "events[1].occurred_at"),
        ({"colour": "red"}, "events[1].colour"),
        ({"feedback_id": "review:p-1"}, "events[1].feedback_id"),
    ],
)
def test_an_invalid_event_is_rejected_by_its_path_and_the_others_are_taken(change: dict[str, Any], path: str) -> None:
    stream = RecordedStream()

    receipt = capture(stream, event(), event(**{"feedback_id": "f-2", **change}))

    assert receipt.accepted == ["f-1"]
    assert [(rejection.index, rejection.code, rejection.fault.path) for rejection in receipt.rejected] == [
        (1, "invalid", path)
    ]
    assert len(stream.lines) == 2


def test_a_call_without_a_valid_event_is_refused_whole() -> None:
    stream = RecordedStream()

    with pytest.raises(InvalidInput) as refused:
        capture(stream, event(name="colour"))

    assert refused.value.faults[0].path == "events[0].name"
    assert [json.loads(line)["rejected"]["path"] for line in stream.lines] == ["name"]


def test_rejected_feedback_goes_the_same_way_with_its_reason() -> None:
    stream = RecordedStream()

    capture(stream, event(feedback_id="f-2", value=[1], source="web"), event())

    _, row = (json.loads(line) for line in stream.lines)
    assert row["model"] == "bike-demand"
    assert (row["rejected"]["code"], row["rejected"]["path"]) == ("invalid", "value")
    assert row["rejected"]["reason"]
    assert row["received_at"] == "2026-03-01T12:00:00.000000Z"
    assert json.loads(row["text"]) == event(feedback_id="f-2", value=[1], source="web")
    assert "truncated" not in row


def test_of_a_large_item_that_is_not_taken_the_beginning_is_kept() -> None:
    stream = RecordedStream()

    capture(stream, event(**{"x" * 100_000: "\n\u2028"}), event())

    line = stream.lines[-1]
    row = json.loads(line)
    assert line.count(b"\n") == 1
    assert (len(row["text"]), row["truncated"]) == (4096, True)
    assert len(row["rejected"]["path"]) <= 500
    assert len(line) < 12_000


def test_the_reserved_events_are_always_taken() -> None:
    stream = RecordedStream()

    receipt = capture(
        stream, event(name="exposed", value=None), event(feedback_id="f-2", name="retracted", value="f-0")
    )

    assert receipt.accepted == ["f-1", "f-2"]


def test_a_retry_without_a_time_of_its_own_has_the_same_digest() -> None:
    stream = RecordedStream()
    door = FeedbackCapture(stream, ClientTimestamps.BOUNDED)

    door.capture(configuration(), [event()], NOW)
    door.capture(configuration(), [event()], datetime(2026, 3, 1, 13, tzinfo=UTC))

    first, second = (json.loads(line) for line in stream.lines)
    assert first["body_digest"] == second["body_digest"]
    assert first["received_at"] != second["received_at"]


@pytest.mark.parametrize("name", ["occurred_at", "received_at"])
def test_history_is_believed_and_the_future_is_not(name: str) -> None:
    reader = FeedbackReader(configuration(), NOW, ClientTimestamps.PAST)

    taken = reader.read(event(occurred_at="2011-05-01T00:00:00Z"), "events[0]")
    with pytest.raises(InvalidInput) as refused:
        reader.read(event(**{name: "2026-03-01T12:00:01Z"}), "events[0]")

    assert taken.received_at == taken.occurred_at == datetime(2011, 5, 1, tzinfo=UTC)
    assert refused.value.faults[0].path == f"events[0].{name}"


def test_an_event_without_a_time_occurred_when_it_was_sent() -> None:
    sent_at = datetime(2026, 2, 1, tzinfo=UTC)
    reader = FeedbackReader(configuration(), NOW, ClientTimestamps.BOUNDED)

    again = reader.read(event(), "", sent_at)

    assert (again.occurred_at, again.received_at) == (sent_at, NOW)
    assert again.body_digest == reader.read(event(), "").body_digest


def test_a_trusted_client_dates_its_events() -> None:
    stream = RecordedStream()

    capture(stream, event(occurred_at="2011-05-01T00:00:00Z"), trust=ClientTimestamps.TRUSTED)

    row = json.loads(stream.lines[0])
    assert row["received_at"] == row["occurred_at"] == "2011-05-01T00:00:00.000000Z"
