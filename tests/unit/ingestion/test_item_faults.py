"""An item of a call is taken or refused by itself, and what was sent twice is known whatever its spelling."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.core import compact_json
from hindsight.core.codec import from_plain
from hindsight.core.errors import InvalidInput
from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import FeedbackReader, feedback_line, read_all
from hindsight.ingestion.instance import InstanceReader
from hindsight.ingestion.prediction_log import PredictionLog
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.predictions.prediction_store import InMemoryPredictions, RecordedRejoins
from hindsight.validation.timestamps import ClientTimestamps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
READER = FeedbackReader(
    configuration(labels={"rules": [{"event": "note", "aggregate": "count"}, {"event": "demand"}]}, review={}),
    NOW,
    ClientTimestamps.TRUSTED,
)
NOTE = '{"feedback_id": "f-%d", "prediction_id": "p-1", "name": "note", "value": %s}'
FAULTY = {
    "NaN": "NaN is not a JSON number",
    "-Infinity": "-Infinity is not a JSON number",
    "1e999": "is too large for a 64-bit float",
    "123456789012345678": "is an integer that does not fit 53 bits; send it as text",
    "9007199254740993": "is an integer that does not fit 53 bits; send it as text",
    '"\\ud800"': "is not well-formed Unicode",
    '{"a": 1, "a": 2}': "is repeated",
    "[" * 15 + "]" * 15: "is nested deeper than 16 levels",
}


def events(*values: str) -> list[Any]:
    items = ", ".join(NOTE % (number, value) for number, value in enumerate(values))
    parsed: list[Any] = compact_json.parse(f'{{"events": [{items}]}}')["events"]
    return parsed


@pytest.mark.parametrize(("value", "message"), FAULTY.items())
def test_one_faulty_event_is_named_and_the_others_are_taken(value: str, message: str) -> None:
    receipt, lines = read_all(READER, events("1", value, '"x"'))

    assert receipt.accepted == ["f-0", "f-2"]
    (rejection,) = receipt.rejected
    assert (rejection.index, rejection.fault.message) == (1, message)
    assert rejection.fault.path.startswith("events[1].value")
    assert len(lines) == 2


def test_event_that_repeats_a_key_is_refused_alone() -> None:
    text = '{"events": [{"feedback_id": "f", "feedback_id": "g", "prediction_id": "p", "name": "note"}]}'

    receipt, _ = read_all(READER, compact_json.parse(text)["events"])

    assert (receipt.rejected[0].fault.path, receipt.rejected[0].fault.message) == (
        "events[0].feedback_id",
        "is repeated",
    )


@given(
    st.fixed_dictionaries(
        {
            "feedback_id": st.text(max_size=3) | st.just("f-1"),
            "prediction_id": st.just("p-1"),
            "name": st.sampled_from(["note", "demand", ""]),
        },
        optional={
            "value": st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=1100),
            "source": st.none() | st.text(max_size=70),
            "occurred_at": st.sampled_from(["2026-03-01T12:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]),
        },
    )
)
def test_event_taken_at_the_door_is_read_from_its_file(item: dict[str, Any]) -> None:
    try:
        raw = compact_json.parse(json.dumps(item))
        feedback = READER.read(raw, "events[0]")
    except InvalidInput:
        return

    assert from_plain(Feedback, json.loads(feedback_line(feedback))) == feedback


@pytest.mark.parametrize(
    "spelled",
    [
        {"value": 1.0},
        {"occurred_at": "2026-02-01T01:00:00+01:00"},
        {"occurred_at": "2026-02-01T00:00:00.000Z"},
        {"source": None},
    ],
)
def test_event_sent_again_in_another_spelling_is_the_same(spelled: dict[str, Any]) -> None:
    sent = {"feedback_id": "f", "prediction_id": "p", "name": "note", "value": 1, "occurred_at": "2026-02-01T00:00:00Z"}

    first, again = READER.read(sent, "events[0]"), READER.read({**sent, **spelled}, "events[0]")

    assert first.body_digest == again.body_digest


@pytest.mark.parametrize("other", [{"value": 2}, {"value": "1"}, {"occurred_at": None}, {"source": "web"}])
def test_event_that_says_something_else_is_not_the_same(other: dict[str, Any]) -> None:
    sent = {"feedback_id": "f", "prediction_id": "p", "name": "note", "value": 1, "occurred_at": "2026-02-01T00:00:00Z"}

    assert READER.read(sent, "").body_digest != READER.read({**sent, **other}, "").body_digest


@pytest.mark.parametrize(
    "spelled",
    [
        {"features": {"hour": 7.0, "temperature": 1, "holiday": None}},
        {"features": {"hour": "7", "temperature": 1.0}},
        {"score": 1.0},
        {"occurred_at": "2026-02-01T00:00:00+00:00"},
        {"outcome_due_at": "2026-02-05T02:00:00+02:00"},
    ],
)
def test_prediction_sent_again_in_another_spelling_is_the_same(spelled: dict[str, Any]) -> None:
    sent = {
        "prediction_id": "p",
        "features": {"hour": 7, "temperature": 1},
        "score": 1,
        "model_version": "v",
        "occurred_at": "2026-02-01T00:00:00Z",
        "outcome_due_at": "2026-02-05T00:00:00Z",
    }
    log = PredictionLog(InMemoryPredictions(), RecordedRejoins())
    reader = InstanceReader(configuration(), NOW, ClientTimestamps.TRUSTED, new_id=lambda: "new")

    receipt = log.take(reader, [sent, {**sent, **spelled}])

    assert receipt.accepted == ["p", "p"]
    assert log.take(reader, [{**sent, **spelled}]).accepted == ["p"]


@pytest.mark.parametrize(("field", "value"), [("score", 1.7e308), ("decision", 1e31)])
def test_number_too_large_for_sums_is_refused(field: str, value: float) -> None:
    log = PredictionLog(InMemoryPredictions(), RecordedRejoins())
    regression = configuration(
        task="regression",
        labels={"rules": [{"event": "demand", "kind": "outcome", "window": "P2D"}]},
        review={},
        monitoring={},
        gate={},
        training={},
    )
    reader = InstanceReader(regression, NOW, ClientTimestamps.TRUSTED, new_id=lambda: "new")

    receipt = log.take(reader, [{"features": {"temperature": 1}, "model_version": "v", "score": 1, field: value}])

    assert receipt.accepted == []
    assert receipt.rejected[0].fault.path.startswith(f"predictions[0].{field}")
