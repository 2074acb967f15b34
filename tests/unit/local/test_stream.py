import gzip
from datetime import timedelta
from pathlib import Path

import pytest

from local.spec import InvalidSpec
from local.stream import read_rows
from tests.unit.local.files import START, configuration, rows_of, spec

DAY = timedelta(days=1)
PLAIN = "x,kind,flag,y\n0.5,a,1,1\n-1,b,0,0\n"


def test_columns_become_typed_features(tmp_path: Path) -> None:
    first, second = rows_of(tmp_path, PLAIN)
    assert first.features == {"x": 0.5, "kind": "a", "flag": True}
    assert second.features == {"x": -1.0, "kind": "b", "flag": False}
    assert [type(value) for value in first.features.values()] == [float, str, bool]


@pytest.mark.parametrize(("texts", "values"), [(("True", "False"), (True, False)), (("yes", "NO"), (True, False))])
def test_booleans_are_read_in_any_spelling(tmp_path: Path, texts: tuple[str, str], values: tuple[bool, bool]) -> None:
    rows = rows_of(tmp_path, "x,kind,flag,y\n" + "".join(f"1,a,{text},1\n" for text in texts))
    assert tuple(row.features["flag"] for row in rows) == values


def test_numbers_for_categories_are_text_also_beside_missing_ones(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "x,kind,flag,y\n1,3,1,1\n1,,1,1\n1,12,1,1\n")
    assert [row.features["kind"] for row in rows] == ["3", None, "12"]


def test_missing_cells_are_null_never_nan(tmp_path: Path) -> None:
    first, second = rows_of(tmp_path, "x,kind,flag,y\n,,,1\n1,a,1,\n")
    assert first.features == {"x": None, "kind": None, "flag": None}
    assert second.outcome is None


@pytest.mark.parametrize(("cell", "said"), [("abc,a,1", "not a number"), ("1,a,perhaps", "not a boolean")])
def test_a_cell_of_another_type_is_refused(tmp_path: Path, cell: str, said: str) -> None:
    with pytest.raises(InvalidSpec, match=said):
        rows_of(tmp_path, f"x,kind,flag,y\n{cell},1\n")


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="has no column flag, who, y"):
        rows_of(tmp_path, "x,kind\n1,a\n", entity="who")


def test_features_may_have_columns_of_other_names(tmp_path: Path) -> None:
    [row] = rows_of(tmp_path, "X 1,kind,flag,y\n1.5,a,1,1\n", features={"x": "X 1"})
    assert row.features["x"] == 1.5


def test_a_gzipped_file_is_read_as_the_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(PLAIN.encode()))
    assert read_rows(path, spec(), configuration()) == rows_of(tmp_path, PLAIN)


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path / "empty.csv"):
        (tmp_path / "empty.csv").touch()
        with pytest.raises(InvalidSpec, match=path.stem):
            read_rows(path, spec(), configuration())


def test_outcomes_of_several_classes_are_text(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "x,kind,flag,y\n1,a,1,low\n1,a,1,high\n", configuration(task="multiclass"))
    assert [row.feedback("demand")["value"] for row in rows] == ["low", "high"]


def test_so_many_rows_a_day_are_spread_evenly(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "x,kind,flag,y\n" + "1,a,1,1\n" * 4)
    assert [row.occurred_at for row in rows] == [START + position * DAY / 2 for position in range(4)]
    assert {row.known_at - row.occurred_at for row in rows} == {DAY}


TIMED = "t,k,d,who,x,kind,flag,y\n"
COLUMNS = {
    "time": {"column": "t"},
    "outcome": {"column": "y", "event": "demand", "known_at": "k"},
    "outcome_due_at": "d",
    "entity": "who",
}


def test_a_column_of_times_orders_the_rows_and_keeps_their_names(tmp_path: Path) -> None:
    late = "2026-01-12T00:00:00Z,2026-01-15,2026-01-14,7,1,a,1,1\n"
    early = "2026-01-11T02:00:00+02:00,,,,2,b,0,0\n"
    first, second = rows_of(tmp_path, TIMED + late + early, **COLUMNS)
    assert (first.prediction_id, first.occurred_at, first.features["x"]) == ("row-1", START + DAY, 2.0)
    assert (first.known_at, first.outcome_due_at, first.entity_id) == (first.occurred_at, None, None)
    assert (second.prediction_id, second.occurred_at) == ("row-0", START + 2 * DAY)
    assert (second.known_at, second.outcome_due_at, second.entity_id) == (START + 5 * DAY, START + 4 * DAY, "7")


def test_instance_carries_the_fields_of_the_row(tmp_path: Path) -> None:
    lines = "2026-01-12T00:00:00Z,2026-01-15,2026-01-14,7,1,a,1,1\n2026-01-13T00:00:00Z,,,,2,b,0,0\n"
    full, bare = (row.instance() for row in rows_of(tmp_path, TIMED + lines, **COLUMNS))
    assert (full["entity_id"], full["outcome_due_at"]) == ("7", "2026-01-14T00:00:00.000000Z")
    assert bare.keys() == {"prediction_id", "features", "occurred_at"}


def test_feedback_is_named_after_its_row(tmp_path: Path) -> None:
    assert rows_of(tmp_path, PLAIN)[0].feedback("demand") == {
        "feedback_id": "row-0-outcome",
        "prediction_id": "row-0",
        "name": "demand",
        "value": 1,
        "occurred_at": "2026-01-11T00:00:00.000000Z",
    }


@pytest.mark.parametrize(("moment", "said"), [("", "row 0 has no time"), ("yesterday", "column t does not hold times")])
def test_a_row_without_a_time_is_refused(tmp_path: Path, moment: str, said: str) -> None:
    with pytest.raises(InvalidSpec, match=said):
        rows_of(tmp_path, f"{TIMED}{moment},,,,1,a,1,1\n", **COLUMNS)


def test_a_feature_the_configuration_does_not_declare_is_a_typo(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"features\.typo"):
        rows_of(tmp_path, "x,kind,flag,outcome\n1,a,true,1\n", features={"typo": "x"})


def test_a_file_without_rows_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="no rows"):
        rows_of(tmp_path, "x,kind,flag,outcome\n")
