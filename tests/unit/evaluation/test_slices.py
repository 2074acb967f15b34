"""Rows told apart by a feature."""

from hindsight.config.features import FeatureType
from hindsight.evaluation.slices import slices_of


def test_large_numbers_are_quartered_by_names_that_differ() -> None:
    rows = [{"features": {"at": 1_700_000_000 + number}} for number in range(400)]
    assert {name: len(places) for name, places in slices_of(rows, "at", FeatureType.NUMERIC)} == {
        "up to 1700000099.75": 100,
        "up to 1700000199.5": 100,
        "up to 1700000299.25": 100,
        "above 1700000299.25": 100,
    }


def test_category_of_that_name_is_not_a_missing_value() -> None:
    rows = [{"features": {"plan": plan}} for plan in ("missing", None, None)]
    assert {name: len(places) for name, places in slices_of(rows, "plan", FeatureType.CATEGORICAL)} == {
        "missing": 1,
        "(missing)": 2,
    }
