"""Label records in columns are what plain rows were, in a fraction of the memory."""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.labels import LabelKind
from hindsight.core.times import format_time
from hindsight.evaluation.metrics import as_numbers
from hindsight.label_records.columns import ABSENT, TimeColumn, ValueColumn, Vocabulary
from hindsight.label_records.mapping_column import MappingColumn
from hindsight.label_records.rows import FIRST_VALUED_AT, LABELLED_WITHOUT_REVIEW, LabelRows
from hindsight.testing.builders.label_rows import newest_records

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

Row = dict[str, Any]
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=5)
)
MOMENTS = st.integers(0, 5).map(lambda hours: format_time(NOON + timedelta(hours=hours)))
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "prediction_id": st.sampled_from(["a", "b", "c", "d"]),
            "seq": st.integers(1, 4),
            "value": st.one_of(st.none(), st.integers(0, 1)),
            "kind": st.sampled_from(["manual", "outcome", "default", None]),
            "known_at": MOMENTS,
            "occurred_at": MOMENTS,
            "outcome_due_at": MOMENTS,
            "features": st.dictionaries(st.sampled_from(["x", "y"]), SCALARS),
        },
        optional={"score": SCALARS, "probabilities": st.dictionaries(st.sampled_from(["u", "v"]), st.floats(0, 1))},
    ),
    max_size=30,
)


def newest_by_hand(rows: list[Row]) -> list[Row]:
    """Find each prediction's newest record in dictionaries: what columns must come to, to the last digit."""
    newest: dict[str, Row] = {}
    valued: dict[str, str] = {}
    begun, otherwise = set[str](), set[str]()
    for row in rows:
        name = row["prediction_id"]
        if name not in newest or row["seq"] > newest[name]["seq"]:
            newest[name] = row
        if row["seq"] == 1:
            begun.add(name)
        if row["value"] is not None:
            valued[name] = min(valued.get(name, row["known_at"]), row["known_at"])
            if row["kind"] != LabelKind.MANUAL:
                otherwise.add(name)
    return [
        {
            **row,
            FIRST_VALUED_AT: valued.get(name) if name in begun else None,
            **({LABELLED_WITHOUT_REVIEW: True} if name in otherwise and row["kind"] == LabelKind.MANUAL else {}),
        }
        for name, row in newest.items()
    ]


@given(RECORDS)
def test_newest_records_in_columns_equal_those_in_dictionaries(rows: list[Row]) -> None:
    assert list(newest_records(rows)) == newest_by_hand(rows)


@given(RECORDS)
def test_rows_are_sorted_by_when_they_came_to_count_and_within_a_moment_by_a_hash_of_their_id(rows: list[Row]) -> None:
    found = [row for row in newest_by_hand(rows) if row[FIRST_VALUED_AT] is not None]

    def maturity(row: Row) -> tuple[str, bytes]:
        shuffled = blake2b(row["prediction_id"].encode(), digest_size=8).digest()
        return max(row["outcome_due_at"], row[FIRST_VALUED_AT]), shuffled

    newest = newest_records(rows)
    known = newest.at(newest.times(FIRST_VALUED_AT).is_given)
    assert list(known.by_maturity()) == sorted(found, key=maturity)


@given(st.lists(st.one_of(SCALARS, st.just(ABSENT), st.lists(st.integers(), max_size=2))))
def test_values_come_back_as_they_were(values: list[Any]) -> None:
    column = ValueColumn.of(values)
    back = [column.value(place) for place in range(len(values))]
    assert [(type(value), value) for value in back] == [(type(value), value) for value in values]
    distinct, codes = column.distinct()
    given_ = [None if value is ABSENT else value for value in values]
    assert [(type(distinct[code]), distinct[code]) for code in codes] == [(type(value), value) for value in given_]
    np.testing.assert_array_equal(column.numbers, as_numbers(given_))


@given(st.lists(st.one_of(st.none(), st.dictionaries(st.sampled_from("abc"), st.floats(0, 1)))))
def test_probabilities_come_back_as_they_were_and_make_one_table(values: list[Any]) -> None:
    words = Vocabulary()
    column = MappingColumn.joined([MappingColumn.of(part, words) for part in (values[:2], values[2:])])
    assert [column.value(place) for place in range(len(values))] == [
        ABSENT if value is None else value for value in values
    ]
    table, names = column.table()
    for place, value in enumerate(values):
        if table is not None:
            expected = [np.nan if value is None else value.get(name, 0.0) for name in names]
            np.testing.assert_array_equal(table[place], expected)


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00.000000Z", "2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00Z"])
def test_moments_are_read_however_they_are_written(text: str) -> None:
    assert TimeColumn.of([text, None]).value(0) == "2026-03-01T12:00:00.000000Z"
    assert TimeColumn.of([text]).value(0) == "2026-03-01T12:00:00.000000Z"
    assert TimeColumn.of([text, None]).value(1) is None


def test_encoded_rows_are_decoded_unchanged() -> None:
    shadow = {"version": "v2", "score": 0.5, "decision": 1}
    rows = [
        {"prediction_id": "a", "features": {"x": 1}, "score": 0.2, "decision": 0, "shadow": shadow},
        {"prediction_id": "b", "features": {"y": "z"}, "score": 1, "decision": "up"},
    ]
    encoded = LabelRows.of(rows)
    assert encoded == rows
    assert LabelRows.of(encoded) is encoded
    ours = encoded.at(encoded.values("shadow.version").is_text("v2")).as_shadow()
    assert [(row["score"], row["decision"]) for row in ours] == [(0.5, 1)]


@given(st.lists(st.one_of(SCALARS, st.just(ABSENT), st.lists(st.integers(), max_size=2)), min_size=1), st.data())
def test_values_moved_to_another_vocabulary_are_decoded_unchanged(values: list[Any], data: st.DataObject) -> None:
    words = Vocabulary()
    chosen = data.draw(st.lists(st.integers(0, len(values) - 1), unique=True))
    column = ValueColumn.of(values).at(np.array(chosen, dtype=np.int64)).moved(words)
    back, expected = [column.value(place) for place in range(len(chosen))], [values[place] for place in chosen]
    assert [(type(value), value) for value in back] == [(type(value), value) for value in expected]
    assert len(words.words) <= len(chosen)


@given(st.lists(st.one_of(st.none(), st.dictionaries(st.sampled_from("abc"), st.floats(0, 1)))), st.data())
def test_moved_mappings_keep_only_their_own_numbers(values: list[Any], data: st.DataObject) -> None:
    is_chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))), dtype=bool)
    chosen = [value for value, wanted in zip(values, is_chosen, strict=True) if wanted]
    column = MappingColumn.of(values).at(is_chosen).moved(Vocabulary())
    assert [column.value(place) for place in range(len(chosen))] == [
        ABSENT if value is None else value for value in chosen
    ]
    assert len(column.numbers) == sum(len(value) for value in chosen if value is not None)
