"""Data of a subject are removed in any form; everything else stays byte by byte."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.core.errors import UnreadableObject
from hindsight.core.times import format_time
from hindsight.datasets.dataset import Source
from hindsight.privacy.datasets import renamed
from hindsight.privacy.redaction import drop_if_mentioned, redact_golden, redact_lines
from hindsight.privacy.subject import Subject, features_digest, subject_digest
from tests.identifiers import IDENTIFIERS

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
MODEL, ENTITY = "bike", "customer-17"


def subject(*names: str) -> Subject:
    ids = set(names or ("p-1",))
    return Subject(model=MODEL, entity_id=ENTITY, at=AT, prediction_ids=ids, own_references={"order-9", "7"})


def lines(*rows: Mapping[str, Any] | str) -> bytes:
    return b"".join((row if isinstance(row, str) else json.dumps(row)).encode() + b"\n" for row in rows)


@given(theirs=st.sets(st.integers(0, 20)), is_zipped=st.booleans())
def test_lines_of_the_subject_go_and_the_others_stay_as_they_were_written(theirs: set[int], is_zipped: bool) -> None:
    rows = [f'{{"prediction_id":  "p-{number}", "é": 1.0}}' for number in range(21)]
    content = gzip.compress(lines(*rows)) if is_zipped else lines(*rows)
    redacted = redact_lines(Subject.owns_record)(subject(*(f"p-{number}" for number in theirs), "none"), content)
    kept = lines(*(row for number, row in enumerate(rows) if number not in theirs))
    if not theirs:
        assert redacted is None
        return
    assert redacted is not None
    assert redacted.rows == len(theirs)
    if not kept:
        assert redacted.content is None
        return
    assert redacted.content is not None
    assert (gzip.decompress(redacted.content) if is_zipped else redacted.content) == kept


@pytest.mark.parametrize(
    ("row", "is_theirs"),
    [
        ({"prediction_id": "p-1"}, True),
        ({"prediction_id": "p-9", "entity_id": ENTITY, "received_at": format_time(AT)}, True),
        ({"prediction_id": "p-9", "entity_id": ENTITY, "received_at": format_time(AT + timedelta(seconds=1))}, False),
        ({"prediction_id": "p-9", "entity_id": ENTITY, "occurred_at": format_time(AT)}, True),
        ({"prediction_id": "p-9", "entity_id": "customer-18", "occurred_at": format_time(AT)}, False),
        ({"prediction_id": "p-9", "features": {"id": ENTITY}}, False),
        ({"entity_id": ENTITY}, False),
        ({"prediction_id": ["p-1"]}, False),
        ({"prediction_id": "p-9", "entity_id": ENTITY, "received_at": "yesterday"}, True),
    ],
)
def test_a_record_is_theirs_by_its_prediction_or_by_its_entity_up_to_the_request(
    row: dict[str, Any], is_theirs: bool
) -> None:
    assert subject().owns_record(row) is is_theirs


@pytest.mark.parametrize(
    ("row", "is_theirs"),
    [
        ({"model": MODEL, "prediction_id": "p-1"}, True),
        ({"model": "another", "prediction_id": "p-1"}, False),
        ({"model": MODEL, "rejected": {}, "text": '{"prediction_id": "p-1", "value": NaN}'}, True),
        ({"model": MODEL, "rejected": {}, "text": '{"prediction_id": "p-1", "val'}, True),
        ({"model": MODEL, "rejected": {}, "text": '{"prediction_id": "p-11", "val'}, False),
        ({"model": MODEL, "rejected": {}, "text": '{"prediction_id": 17}'}, False),
        ({"model": MODEL, "rejected": {}, "text": "p-1"}, False),
        ({"model": MODEL, "rejected": {}, "text": '{"prediction_id": ["p-1"]}'}, False),
        ({"model": MODEL, "rejected": {}, "text": '{"prediction_id": "p-1", "model": "forest"}'}, True),
        ({"model": MODEL, "entity_id": ENTITY, "received_at": "yesterday"}, True),
        ({"model": MODEL, "entity_id": ENTITY}, True),
    ],
)
def test_raw_feedback_is_theirs_within_their_model_however_broken(row: dict[str, Any], is_theirs: bool) -> None:
    assert subject().owns_feedback(row) is is_theirs


@pytest.mark.parametrize(
    ("named", "received", "is_theirs"),
    [
        ({"entity_id": ENTITY}, AT, True),
        ({"entity_id": ENTITY}, AT + timedelta(seconds=1), False),
        ({"entity_id": "customer-18"}, AT, False),
        ({"reference": "order-9"}, AT, True),
        ({"reference": "order-9"}, AT + timedelta(seconds=1), False),
        ({"reference": "order-of-both"}, AT, False),
    ],
)
def test_event_is_theirs_by_the_entity_or_a_reference_of_its_own_up_to_the_request(
    named: dict[str, str], received: datetime, is_theirs: bool
) -> None:
    row = {"model": MODEL, **named, "received_at": format_time(received)}
    assert subject().owns_feedback(row) is is_theirs
    assert subject().owns_reject({"code": "unmatched", "event": row}) is is_theirs
    assert not subject().owns_feedback({**row, "model": "forest"})


@pytest.mark.parametrize(
    ("text", "is_theirs"),
    [
        ('{"reference": "order-9", "value": NaN}', True),
        ('{"reference": "order-9", "val', True),
        ('{"reference":7,"val', True),
        ('{"reference": 7}', True),
        ('{"reference": "order-9", "entity_id": "customer-18", "features": 7}', False),
        ('{"reference": "order-of-both", "val', False),
    ],
)
def test_rejected_item_is_theirs_by_a_reference_of_its_own(text: str, is_theirs: bool) -> None:
    assert subject().owns_reject({"code": "invalid", "model": MODEL, "text": text}) is is_theirs


def test_subject_is_completed_by_its_notes() -> None:
    known = subject()
    known.learn([{"prediction_id": "p-2", "features": {}, "reference": "order-10"}, {"prediction_id": "p-3"}])
    recalled = Subject(model=MODEL, entity_id=ENTITY, at=AT)
    recalled.recall(known.to_json())
    assert recalled == known
    assert (known.references, known.size) == ({"order-10"}, 3 + 1 + 1 + 2)


def test_a_reject_is_theirs_by_its_event_or_its_text() -> None:
    assert subject().owns_reject({"code": "unmatched", "event": {"model": MODEL, "prediction_id": "p-1"}})
    assert subject().owns_reject({"code": "invalid", "text": json.dumps({"entity_id": ENTITY, "features": 7})})
    assert not subject().owns_reject({"code": "invalid", "text": json.dumps({"prediction_id": "p-2"})})
    assert not subject().owns_reject({"code": "malformed"})


@pytest.mark.parametrize(
    ("text", "is_theirs"),
    [
        ('{"entity_id": 4711, "features": {}}', True),
        ('{"entity_id": 4711, "features": {"a": NaN}}', True),
        ('{"entity_id":4711,"features":{"a', True),
        ('{"prediction_id":17,"features":{"a', True),
        ('{"entity_id": 47110, "features": {}}', False),
        ('{"entity_id":47110,"features":{"a', False),
        ('{"entity_id": {"id": 4711}, "features": {}}', False),
    ],
)
def test_an_item_rejected_for_a_number_as_its_id_is_theirs(text: str, is_theirs: bool) -> None:
    theirs = Subject(model=MODEL, entity_id="4711", at=AT, prediction_ids={"17"})

    assert theirs.owns_reject({"code": "invalid", "model": MODEL, "text": text}) is is_theirs


def test_a_reject_of_their_model_may_name_any_model_and_one_of_no_model_names_theirs() -> None:
    named = json.dumps({"model": "forest", "entity_id": ENTITY})

    assert subject().owns_reject({"code": "invalid", "model": MODEL, "text": named})
    assert not subject().owns_reject({"code": "malformed", "text": named})


def test_a_line_that_is_no_json_goes_if_it_quotes_them() -> None:
    clean = redact_lines(Subject.owns_feedback)
    redacted = clean(subject(), lines('{"model": "bike", "prediction_id": "p-1"', "noise", "[1]"))
    assert redacted is not None
    assert (redacted.content, redacted.rows) == (lines("noise", "[1]"), 1)


def test_golden_rows_go_by_the_features_they_hold() -> None:
    theirs, other = {"hour": "7", "temperature": 0.5}, {"hour": "8", "temperature": 0.5}
    known = subject()
    known.learn([{"prediction_id": "p-1", "features": {"temperature": 0.5, "hour": "7"}}])
    assert known.feature_digests == {features_digest(theirs)}
    document = {"rows": [{"features": theirs, "score": 1}, {"features": other, "score": 2}]}
    redacted = redact_golden(known, json.dumps(document).encode())
    assert redacted is not None
    assert redacted.content is not None
    assert json.loads(redacted.content) == {"rows": document["rows"][1:]}
    assert redact_golden(known, redacted.content) is None


def test_an_answer_of_athena_that_names_a_prediction_goes_as_a_whole() -> None:
    assert drop_if_mentioned(subject(), b'"prediction_id","seq"\n"p-1","1"\n') is not None
    assert drop_if_mentioned(subject(), b'"prediction_id","seq"\n"p-11","1"\n') is None


@given(IDENTIFIERS)
def test_any_id_is_found_in_an_answer_of_athena_and_in_a_line_that_was_cut(name: str) -> None:
    theirs, quoted = subject(name), name.replace('"', '""')
    assert drop_if_mentioned(theirs, f'"prediction_id","seq"\n"{quoted}","1"\n'.encode()) is not None
    for ascii_only in (True, False):
        assert theirs.owns_text(f'{{"name": "a", "prediction_id": {json.dumps(name, ensure_ascii=ascii_only)}, "val')
    assert not theirs.owns_text('{"prediction_id": "another", "val')


def test_file_that_cannot_be_unzipped_is_reported() -> None:
    with pytest.raises(UnreadableObject):
        redact_lines(Subject.owns_record)(subject(), b"\x1f\x8b damaged")


def test_sources_are_followed_to_their_present_names() -> None:
    first, second, third = (Source(name, f"d-{name}") for name in "abc")
    replaced = {("a", "d-a"): second, ("b", "d-b"): third, ("x", "d-x"): None}
    assert renamed((first, Source("x", "d-x"), Source("y", "d-y")), replaced) == (third, Source("y", "d-y"))


def test_the_hash_of_a_subject_is_another_for_another_erasure_model_and_entity() -> None:
    asked = [("e", "m", "x"), ("f", "m", "x"), ("e", "n", "x"), ("e", "m", "y"), ("e", "mx", "")]
    assert len({subject_digest(*one) for one in asked}) == len(asked)
