"""Rows divided by a feature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.features import FeatureType
from hindsight.evaluation.slices import MISSING, slices_of, slices_of_rows


def test_large_numbers_are_quartered_by_names_that_differ() -> None:
    rows = [{"features": {"at": 1_700_000_000 + number}} for number in range(400)]
    assert {name: len(places) for name, places in slices_of_rows(rows, "at", FeatureType.NUMERIC)} == {
        "up to 1700000099": 100,
        "above 1700000099 to 1700000199": 100,
        "above 1700000199 to 1700000299": 100,
        "above 1700000299": 100,
    }


def test_category_of_that_name_is_not_a_missing_value() -> None:
    rows = [{"features": {"plan": plan}} for plan in ("missing", None, None)]
    assert {name: len(places) for name, places in slices_of_rows(rows, "plan", FeatureType.CATEGORICAL)} == {
        "missing": 1,
        "(missing)": 2,
    }


numbers = st.lists(st.sampled_from([np.nan, 0.0, 1.0, 2.0]) | st.floats(-1e30, 1e30), min_size=1, max_size=60)
texts = st.lists(
    st.none() | st.sampled_from(["a", "a\0", "b", MISSING, f"'{MISSING}", "nan", ""]), min_size=1, max_size=40
)


@given(numbers)
def test_every_row_of_a_number_lies_in_one_slice_and_equal_ones_in_the_same(values: list[float]) -> None:
    column = np.array(values)

    found = list(slices_of(column, FeatureType.NUMERIC))

    assert sorted(np.concatenate([rows for _, rows in found]).tolist()) == list(range(len(values)))
    slice_of = {int(row): name for name, rows in found for row in rows}
    for row, value in enumerate(values):
        assert all(slice_of[row] == slice_of[other] for other in np.flatnonzero(column == value).tolist())
        assert (slice_of[row] == MISSING) is bool(np.isnan(value))


@given(texts)
def test_categories_do_not_melt_with_each_other_or_with_missing_values(values: list[str | None]) -> None:
    found = list(slices_of(np.array(values, dtype=object), FeatureType.CATEGORICAL))

    assert len({name for name, _ in found}) == len(found) == len(set(values))
    assert all(len({values[row] for row in rows}) == 1 for _, rows in found)


@pytest.mark.parametrize("values", [[1.0, 1 + 1e-13, 2.0], [2**53 - 1, 2**53 - 2], list(1e9 + np.arange(99) * 1e-5)])
def test_numbers_that_are_close_have_slices_of_different_names(values: list[float]) -> None:
    found = list(slices_of(np.array(values), FeatureType.NUMERIC))

    assert len({name for name, _ in found}) == len(found) == min(len(values), 4)


@given(texts)
def test_gate_and_live_performance_slice_categories_alike(values: list[str | None]) -> None:
    live = slices_of_rows([{"features": {"x": value}} for value in values], "x", FeatureType.CATEGORICAL)
    gate = slices_of(np.array(values, dtype=object), FeatureType.CATEGORICAL)

    assert {name: rows.tolist() for name, rows in live} == {name: rows.tolist() for name, rows in gate}


@pytest.mark.parametrize("values", [[True, False, None, True], [None]])
def test_gate_and_live_performance_slice_booleans_alike(values: list[bool | None]) -> None:
    live = slices_of_rows([{"features": {"x": value}} for value in values], "x", FeatureType.BOOLEAN)
    column = np.array([np.nan if value is None else float(value) for value in values])

    assert {name: rows.tolist() for name, rows in live} == {
        name: rows.tolist() for name, rows in slices_of(column, FeatureType.BOOLEAN)
    }


def test_value_that_fills_a_quarter_does_not_melt_with_its_neighbours() -> None:
    column = np.concatenate([np.arange(1.0, 31.0), np.full(50, 40.0), np.arange(60.0, 80.0)])

    found = {name: len(rows) for name, rows in slices_of(column, FeatureType.NUMERIC)}

    assert found["40"] == 50
    assert sum(found.values()) == 100
