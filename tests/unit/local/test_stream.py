import gzip
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.replay.replay_file import ReplayFiles, prepare_replay
from local.replay.spec import InvalidSpec
from local.replay.stream import read_stream
from tests.unit.local.files import SPEC, START, bad_lines_of, configuration, rows_of, spec, write_spec

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


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("abc,a,1,1", "column x: 'abc' is not a number"),
        ("NA,a,1,1", "column x: 'NA' is not a number; if it stands for a missing one, list it under `missing`"),
        ("nan,a,1,1", "column x: 'nan' is not a number"),
        ("1_000,a,1,1", "column x: '1_000' is not a number"),
        ('"82,10",a,1,1', "column x: '82,10' is not a number: write its decimals after a point"),
        ('"1,234,567.5",a,1,1', "column x: '1,234,567.5' is not a number: write its decimals after a point"),
        ('"a,1",a,1,1', "column x: 'a,1' is not a number; if it stands for a missing one"),
        ("1e31,a,1,1", "features.x must be a number from -1e+30 to 1e+30"),
        ("1,a,perhaps,1", "column flag: 'perhaps' is not a boolean"),
        ("1,a,1,maybe", "column y: 'maybe' must be 0, 1, true or false"),
        ("1,a,1", "has 3 cells, the header 4"),
        ("1,a,1,1,1", "has 5 cells, the header 4"),
        (f"1,{'a' * 257},1,1", "features.kind must be text of at most 256 characters"),
    ],
)
def test_line_that_makes_no_row_is_left_out_by_its_number_and_column(tmp_path: Path, cells: str, said: str) -> None:
    (bad,) = bad_lines_of(tmp_path, f'x,kind,flag,y\n1,"two\nlines",1,1\n\n{cells}\n2,b,0,0\n')

    assert bad.startswith(f"line 5: {said}")


def test_categories_are_the_text_that_is_written(tmp_path: Path) -> None:
    texts = ["NA", "None", "01234", "1234", "1.0", "1", "nan", "true", " x "]
    rows = rows_of(tmp_path, "x,kind,flag,y\n" + "".join(f"1,{text},1,1\n" for text in texts))

    assert [row.features["kind"] for row in rows] == texts


def test_texts_declared_as_missing_are_null_in_every_column(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, "x,kind,flag,y\nNA,?,NA,?\n", missing=["NA", "?"])

    assert (row.features, row.outcome) == ({"x": None, "kind": None, "flag": None}, None)


@pytest.mark.parametrize(
    ("task", "rule", "texts", "outcomes"),
    [
        ("multiclass", {}, ["01", "1", "NA", "true"], ["01", "1", "NA", "true"]),
        ("binary", {}, ["1", "0.0", "True", "no"], [1, 0, True, False]),
        ("binary", {"positive": {"greater_than": 5}}, ["6", "5.5"], [6, 5.5]),
        ("binary", {"positive": {"equals": "yes"}}, ["yes", "no"], ["yes", "no"]),
        ("binary", {"map": {"1": 1, "0": 0}}, ["1.0", "0"], [1, "0"]),
        ("regression", {}, ["1", "-.5e1"], [1, -5]),
    ],
)
def test_outcome_is_read_as_a_rule_of_its_event_can_read_it(
    tmp_path: Path, task: str, rule: dict[str, Any], texts: list[str], outcomes: list[Any]
) -> None:
    configured = configuration(task=task, labels={"rules": [{"event": "demand", "window": "P1D", **rule}]})
    rows = rows_of(tmp_path, "x,kind,flag,y\n" + "".join(f"1,a,1,{text}\n" for text in texts), configured)

    assert [row.outcome for row in rows] == outcomes
    assert [type(row.outcome) for row in rows] == [type(outcome) for outcome in outcomes]


@pytest.mark.parametrize(("separator", "name"), [(";", "a semicolon"), ("\t", "a tab")])
def test_file_with_another_separator_is_recognised_and_read_with_it(tmp_path: Path, separator: str, name: str) -> None:
    text = PLAIN.replace(",", separator)
    with pytest.raises(InvalidSpec, match=f"is its separator {name}"):
        rows_of(tmp_path, text)

    assert rows_of(tmp_path, text, separator=separator) == rows_of(tmp_path, PLAIN)


def test_byte_order_mark_belongs_to_no_column(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "\ufeff" + PLAIN) == rows_of(tmp_path, PLAIN)


def test_column_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="names the column 'x' twice"):
        rows_of(tmp_path, "x,x,kind,flag,y\n1,2,a,1,1\n")


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="has no column flag, who, y"):
        rows_of(tmp_path, "x,kind\n1,a\n", entity="who")


def test_features_may_have_columns_of_other_names(tmp_path: Path) -> None:
    [row] = rows_of(tmp_path, "X 1,kind,flag,y\n1.5,a,1,1\n", features={"x": "X 1"})
    assert row.features["x"] == 1.5


def test_a_gzipped_file_is_read_as_the_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(PLAIN.encode()))
    assert read_stream(path, spec(), configuration()).rows == rows_of(tmp_path, PLAIN)


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path / "empty.csv"):
        (tmp_path / "empty.csv").touch()
        with pytest.raises(InvalidSpec, match=rf"{path.stem}\.csv(: No such file or directory| is empty)$"):
            read_stream(path, spec(), configuration())


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
    assert (first.outcome, first.outcome_due_at, first.entity_id) == (None, None, None)
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


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (",,", "column t: the row has no time"),
        ("yesterday,,", "column t: 'yesterday' is no time such as 2026-03-01T12:00:00Z or 2026-03-01"),
        ("01/02/2026,,", "column t: '01/02/2026' is no time"),
        ("2026-01-12,2026-13-01,", "column k: '2026-13-01' is no time"),
        ("2026-01-12,2026-01-13,2026-01-11", "outcome_due_at lies before the prediction"),
    ],
)
def test_line_whose_times_cannot_be_is_left_out(tmp_path: Path, times: str, said: str) -> None:
    (bad,) = bad_lines_of(tmp_path, f"{TIMED}{times},,1,a,1,1\n2026-01-12,,,,1,a,1,1\n", **COLUMNS)

    assert bad.startswith(f"line 2: {said}")


def test_outcome_without_the_time_when_it_was_known_is_never_heard(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(TIMED + "2026-01-12,,,,1,a,1,1\n2026-01-13,2026-01-14,,,1,a,1,1\n", encoding="utf-8")

    stream = read_stream(path, spec(**COLUMNS), configuration())

    assert ([row.outcome for row in stream.rows], stream.without_known_at) == ([None, 1], 1)


def test_file_without_a_usable_row_is_refused_by_its_first_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="has no row that can be used; line 2: column x: 'a' is not a number"):
        rows_of(tmp_path, "x,kind,flag,y\na,a,1,1\n")


def test_a_feature_the_configuration_does_not_declare_is_a_typo(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"features\.typo"):
        rows_of(tmp_path, "x,kind,flag,outcome\n1,a,true,1\n", features={"typo": "x"})


def test_a_file_without_rows_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="no rows"):
        rows_of(tmp_path, "x,kind,flag,outcome\n")


def test_rows_that_are_not_utf_8_are_left_out_by_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("x,kind,flag,y\n1,a,1,1\n1,caf\xe9,1,1\n1,b,1,0\n".encode("latin-1"))

    stream = read_stream(path, spec(), configuration())

    assert ([row.features["kind"] for row in stream.rows], list(map(str, stream.bad))) == (
        ["a", "b"],
        ["line 3: is not UTF-8"],
    )


def test_quote_that_is_left_open_is_looked_for_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="in a row after line 2: is a quote left open"):
        rows_of(tmp_path, 'x,kind,flag,y\n1,a,1,1\n1,"b,1,1\n1,c,1,0\n')


def test_outcome_known_before_its_prediction_makes_no_row(tmp_path: Path) -> None:
    outcome = {"column": "y", "event": "demand", "known_at": "k"}
    text = "x,kind,flag,y,k\n1,a,1,1,2026-01-11\n1,a,1,1,2026-01-09\n"

    assert bad_lines_of(tmp_path, text, outcome=outcome) == [
        "line 3: column k: the outcome is known before the prediction is made"
    ]


def test_rows_from_a_start_on_end_with_the_calendar(tmp_path: Path) -> None:
    time = {"start": "9899-12-30T00:00:00Z", "rows_per_day": 1}

    bad = bad_lines_of(tmp_path, f"{PLAIN}1,a,1,1\n", time=time)

    assert bad[1:] == ["line 4: its time, from time.start on, is beyond the year 9900"]


@pytest.mark.parametrize(
    ("bootstrap", "said"),
    [({"rows": 2}, "has only 2 rows"), ({"days": 2}, "ends on 2026-01-10"), ({"rows": 1}, "have one time")],
)
def test_bootstrap_that_is_no_part_of_the_file_is_found_before_a_stack_is_touched(
    tmp_path: Path, bootstrap: dict[str, int], said: str
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("t,x,kind,flag,y\n2026-01-10,1,a,1,1\n2026-01-10,2,b,0,0\n", encoding="utf-8")
    described = write_spec(tmp_path, {**SPEC, "time": {"column": "t"}, "bootstrap": bootstrap})

    with pytest.raises(InvalidSpec, match=said):
        prepare_replay(ReplayFiles(rows, described))


@pytest.mark.parametrize(("bad", "ends"), [(2, False), (3, True)])
def test_file_most_of_whose_lines_make_no_row_is_refused(tmp_path: Path, bad: int, ends: bool) -> None:
    rows = tmp_path / "rows.csv"
    text = "".join(f"2026-01-1{day},{x},a,1,1\n" for day, x in enumerate(["1", "2", *["3;0"] * bad]))
    rows.write_text(f"t,x,kind,flag,y\n{text}", encoding="utf-8")
    described = write_spec(tmp_path, {**SPEC, "time": {"column": "t"}})

    if not ends:
        assert len(prepare_replay(ReplayFiles(rows, described)).stream.rows) == 2
        return
    with pytest.raises(InvalidSpec, match=r"3 of 5 lines make no row\n  line 4: column x: '3;0' is not a number"):
        prepare_replay(ReplayFiles(rows, described))
