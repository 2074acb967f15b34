"""Rejected predictions go through the stream of feedback, before the call is answered."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput, Unavailable
from hindsight.entities.prediction import PredictionKey
from hindsight.ingestion.instance import InstanceReader
from hindsight.ingestion.prediction_log import PredictionCapture, PredictionLog
from hindsight.labels.joining.feedback_files import parse_feedback_line
from hindsight.privacy.subject import Subject
from hindsight.quarantine.rejects import MAX_REJECTED_TEXT, Reject, RejectCode, RowKind
from hindsight.testing.aws.feedback_stream import InMemoryStream
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.predictions.prediction_store import InMemoryPredictions, RecordedRejoins
from hindsight.validation.timestamps import ClientTimestamps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Door:
    """The intake on fakes."""

    def __init__(self) -> None:
        self.store = InMemoryPredictions()
        self.stream = InMemoryStream()
        self._capture = PredictionCapture(PredictionLog(self.store, RecordedRejoins()), self.stream)

    def take(self, *items: object) -> Any:
        reader = InstanceReader(configuration(), NOW, ClientTimestamps.BOUNDED, new_id=lambda: "new")
        return self._capture.capture(reader, items)

    def rejects(self) -> list[Reject]:
        found = [parse_feedback_line(line) for line in self.stream.lines]
        assert all(isinstance(reject, Reject) for reject in found), found
        return [reject for reject in found if isinstance(reject, Reject)]


@pytest.fixture
def door() -> Door:
    return Door()


def body(**changes: Any) -> dict[str, Any]:
    return {"prediction_id": "p-1", "features": {"hour": 7}, "score": 0.7, "model_version": "v1", **changes}


def test_a_rejected_prediction_is_in_the_stream_with_its_reason_as_it_was_sent(door: Door) -> None:
    bad = body(prediction_id="bad", score=2, entity_id="customer-17")

    receipt = door.take(body(), bad)

    (reject,) = door.rejects()
    assert receipt.accepted == ["p-1"]
    assert (reject.kind, reject.code, reject.path) == (RowKind.PREDICTION, RejectCode.INVALID, "score")
    assert (reject.model, reject.received_at, reject.is_truncated) == ("bike-demand", NOW, False)
    assert json.loads(reject.text or "") == bad


def test_a_conflict_is_in_the_stream_as_one(door: Door) -> None:
    door.take(body())

    receipt = door.take(body(score=0.1))

    assert receipt.accepted == []
    assert [(reject.code, reject.path) for reject in door.rejects()] == [(RejectCode.CONFLICT, "prediction_id")]


def test_a_prediction_that_was_erased_comes_back_nowhere(door: Door) -> None:
    door.store.erased.add(PredictionKey("bike-demand", "p-1"))

    receipt = door.take(body(), body(score=0.1), body(prediction_id="p-2"))

    assert receipt.accepted == ["p-2"]
    assert [(rejection.index, rejection.code) for rejection in receipt.in_order()] == [(0, "conflict"), (1, "conflict")]
    assert door.stream.lines == []


def test_accepted_predictions_use_no_stream(door: Door) -> None:
    door.stream.is_down = True

    assert door.take(body()).accepted == ["p-1"]


def test_a_call_without_a_valid_prediction_is_kept_before_it_is_refused(door: Door) -> None:
    with pytest.raises(InvalidInput):
        door.take(body(score=2), 7)

    assert [reject.text for reject in door.rejects()] == [compact_json.dumps(body(score=2)), "7"]


def test_nothing_is_acknowledged_while_the_stream_is_down_and_the_call_again_changes_nothing(door: Door) -> None:
    door.stream.is_down = True
    with pytest.raises(Unavailable):
        door.take(body(), body(prediction_id="bad", score=2))
    kept = dict(door.store.kept)

    door.stream.is_down = False

    assert door.take(body(), body(prediction_id="bad", score=2)).accepted == ["p-1"]
    assert door.store.kept == kept
    assert len(door.rejects()) == 1


def test_a_call_without_a_valid_prediction_is_unavailable_while_the_stream_is_down(door: Door) -> None:
    door.stream.is_down = True

    with pytest.raises(Unavailable):
        door.take(body(score=2))


def test_of_a_large_prediction_the_beginning_is_kept_with_its_ids_in_front(door: Door) -> None:
    features = {f"column {number}": number / 7 for number in range(1000)}

    door.take(body(), body(features=features, prediction_id="p-2", entity_id='Zoë "17"', score=2))

    (reject,) = door.rejects()
    assert reject.text is not None
    assert (len(reject.text), reject.is_truncated) == (MAX_REJECTED_TEXT, True)
    assert reject.text.startswith('{"entity_id":"Zoë \\"17\\"","prediction_id":"p-2","features":')
    row = {"code": "invalid", "model": "bike-demand", "text": reject.text}
    for known in ({"entity_id": 'Zoë "17"'}, {"entity_id": "other", "prediction_ids": {"p-2"}}):
        assert Subject(model="bike-demand", at=NOW, **known).owns_reject(row)
    assert not Subject(model="bike-demand", at=NOW, entity_id="17").owns_reject(row)


def test_an_id_too_long_to_be_one_hides_no_other(door: Door) -> None:
    door.take(body(), body(entity_id="x" * 10_000, prediction_id="p-2"))

    (reject,) = door.rejects()
    assert (reject.text or "").startswith('{"prediction_id":"p-2",')


def test_values_that_are_no_json_are_kept_as_they_were_sent(door: Door) -> None:
    sent = '{"predictions": [{"features": {"hour": NaN}, "score": 12345678901234567890, "note": "\\ud800"}]}'

    with pytest.raises(InvalidInput):
        door.take(*compact_json.parse(sent)["predictions"])

    (reject,) = door.rejects()
    assert reject.text == '{"features":{"hour":NaN},"note":"\\ud800","score":12345678901234567890}'


def test_a_token_is_never_kept(door: Door) -> None:
    door.take(body(), body(prediction_id="p-2", token="secret"))

    assert b"secret" not in b"".join(door.stream.lines)


def test_a_call_of_the_largest_rejects_fits_the_stream_s_records(door: Door) -> None:
    items = [body(prediction_id=f"p-{number}", score=2, features={"hour": '"' * 7000}) for number in range(500)]

    with pytest.raises(InvalidInput):
        door.take(*items)

    assert max(map(len, door.stream.lines)) < 20_000
    assert {reject.received_at.date() for reject in door.rejects() if reject.received_at} == {date(2026, 3, 1)}
