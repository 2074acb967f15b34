"""A time that windows, delays and retention cannot be added to is refused at every door, by its path."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from hindsight.config.types import Moment
from hindsight.core.errors import InvalidInput
from hindsight.ingestion.feedback_capture import FeedbackReader
from hindsight.ingestion.instance import InstanceItem, InstanceReader
from hindsight.labels.joining.feedback_files import parse_feedback_line
from hindsight.quarantine.rejects import Reject
from hindsight.reporting.check_history import CheckQuery
from hindsight.testing.builders.configuration import configuration
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import DaysRequest, OperatorRequest
from hindsight.validation.timestamps import ClientTimestamps
from local.replay.cells import UnreadableCell, moment_of
from tests.unit.labels.builders import event

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENDS = ["9999-12-31T23:59:59Z", "9900-01-01T00:00:00Z", "0999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
EVENT = {"feedback_id": "f", "prediction_id": "p", "name": "demand", "value": 1}
BEYOND = "must lie between the years 1000 and 9900"


def refused(read: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as error:
        read()
    return [(fault.path, fault.message) for fault in error.value.faults]


@pytest.mark.parametrize("text", ENDS)
@pytest.mark.parametrize("trust", [ClientTimestamps.TRUSTED, ClientTimestamps.PAST, ClientTimestamps.BOUNDED])
def test_time_at_the_end_of_the_calendar_is_refused_at_the_doors(text: str, trust: ClientTimestamps) -> None:
    instances = InstanceReader(configuration(), NOW, trust, new_id=lambda: "new")
    events = FeedbackReader(configuration(), NOW, trust)
    for field in ("occurred_at", "outcome_due_at"):
        item = parse_item(InstanceItem, {"features": {}, field: text}, "instances[0]")
        assert refused(lambda item=item: instances.read(item, "instances[0]")) == [(f"instances[0].{field}", BEYOND)]
    assert refused(lambda: events.read({**EVENT, "occurred_at": text}, "events[0]")) == [
        ("events[0].occurred_at", BEYOND)
    ]
    asked = parse_item(OperatorRequest, {"reason": "why", "occurred_at": text}, "")
    assert refused(lambda: asked.moment(NOW, trust)) == [("occurred_at", BEYOND)]


@pytest.mark.parametrize("text", ENDS)
def test_time_at_the_end_of_the_calendar_is_refused_in_files_queries_and_configurations(text: str) -> None:
    days = parse_item(DaysRequest, {"reason": "why", "to": text[:10]}, "")
    assert refused(days.days) == [("to", BEYOND)]
    for queried in (text, text[:10]):
        assert refused(lambda queried=queried: CheckQuery.parse(None, queried, None)) == [("from", BEYOND)]
    line = json.dumps({**event("demand", 1).to_plain(), "received_at": text}).encode()
    assert parse_feedback_line(line) == Reject(parse_feedback_line(b"").code, BEYOND)  # type: ignore[union-attr]
    with pytest.raises(UnreadableCell, match=BEYOND):
        moment_of(text)
    with pytest.raises(ValidationError, match=BEYOND):
        TypeAdapter[datetime](Moment).validate_python(text)


@pytest.mark.parametrize("value", [1772366400, 1.5, True, ["2026-03-01"], "x" * 41])
def test_time_of_another_type_is_refused_with_the_form_it_must_have(value: object) -> None:
    events = FeedbackReader(configuration(), NOW, ClientTimestamps.TRUSTED)
    ((path, message),) = refused(lambda: events.read({**EVENT, "occurred_at": value}, "events[0]"))
    assert (path, message.startswith("must be an RFC 3339 time")) == ("events[0].occurred_at", True)
