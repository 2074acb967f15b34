"""Feedback is durable before it is acknowledged, and only what a rule can read is taken."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.capture.clocks import ClientTimestamps
from shared.capture.feedback_capture import FeedbackCapture
from shared.errors import InvalidInput, Unavailable
from tests.unit.configuration.example import configuration

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class RecordedStream:
    """Keeps what was appended."""

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
    ],
)
def test_an_invalid_event_is_rejected_by_its_path_and_the_others_are_taken(change: dict[str, Any], path: str) -> None:
    stream = RecordedStream()

    receipt = capture(stream, event(), event(**{"feedback_id": "f-2", **change}))

    assert receipt.accepted == ["f-1"]
    assert [(rejection.index, rejection.code, rejection.fault.path) for rejection in receipt.rejected] == [
        (1, "invalid", path)
    ]
    assert len(stream.lines) == 1


def test_a_call_without_a_valid_event_is_refused_whole() -> None:
    stream = RecordedStream()

    with pytest.raises(InvalidInput) as refused:
        capture(stream, event(name="colour"))

    assert refused.value.faults[0].path == "events[0].name"
    assert not stream.lines


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


def test_a_trusted_client_dates_its_events() -> None:
    stream = RecordedStream()

    capture(stream, event(occurred_at="2011-05-01T00:00:00Z"), trust=ClientTimestamps.TRUSTED)

    row = json.loads(stream.lines[0])
    assert row["received_at"] == row["occurred_at"] == "2011-05-01T00:00:00.000000Z"
