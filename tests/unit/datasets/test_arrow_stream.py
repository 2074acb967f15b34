from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.datasets.formats.arrow_stream import read_columns

TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
DOUBLE = st.one_of(st.none(), st.floats(allow_nan=False))


def table(columns: dict[str, list[Any]]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    arrays = {}
    for name, values in columns.items():
        arrays[name] = np.empty(len(values), dtype=object)
        arrays[name][:] = values
    connection.register("given", arrays)
    return connection


@given(st.lists(st.tuples(TEXT, DOUBLE, st.integers(-(2**31), 2**31 - 1)), min_size=1, max_size=70))
@settings(max_examples=80, deadline=None)
def test_columns_come_back_as_they_are(rows: list[tuple[str, float | None, int]]) -> None:
    texts, doubles, wholes = (list(column) for column in zip(*rows, strict=True))
    connection = table({"t": texts, "d": doubles, "w": wholes})
    found = read_columns(
        connection,
        "SELECT CAST(t AS VARCHAR) AS t, CAST(d AS DOUBLE) AS d, CAST(w AS INTEGER) AS w, CAST(w AS BIGINT) AS l "
        "FROM given",
    )
    assert [text.decode() for text in found["t"].tolist()] == texts
    np.testing.assert_array_equal(found["d"], [np.nan if value is None else value for value in doubles])
    assert found["w"].tolist() == found["l"].tolist() == wholes
    assert [found[name].dtype.kind for name in ("t", "d", "w", "l")] == ["S", "f", "i", "i"]


def test_results_of_several_batches_are_one_array() -> None:
    query = "SELECT i AS n, format('p{}', i) AS name, hash(i) AS h FROM range(2_500_000) t(i)"
    found = read_columns(duckdb.connect(), query)
    assert np.array_equal(found["n"], np.arange(2_500_000))
    assert (found["name"][0], found["name"][-1], found["h"].dtype) == (b"p0", b"p2499999", np.uint64)


def test_no_rows_are_arrays_of_no_rows() -> None:
    found = read_columns(duckdb.connect(), "SELECT 1.5::DOUBLE AS d, 'a' AS t, 1 AS i WHERE false")
    assert {name: (len(array), array.dtype.kind) for name, array in found.items()} == {
        "d": (0, "f"),
        "t": (0, "S"),
        "i": (0, "i"),
    }


@pytest.mark.parametrize("column", ["true", "NULL::VARCHAR", "NULL::INTEGER", "[1]", "DATE '2026-03-01'"])
def test_unsupported_type_is_refused(column: str) -> None:
    with pytest.raises(TypeError):
        read_columns(duckdb.connect(), f"SELECT {column} AS c")


def test_a_query_that_fails_while_it_runs_says_why() -> None:
    with pytest.raises((OSError, duckdb.Error), match=r"overflow|out of range|Could not"):
        read_columns(duckdb.connect(), "SELECT CAST(i * 1000 AS TINYINT)::INTEGER AS c FROM range(5000) t(i)")
