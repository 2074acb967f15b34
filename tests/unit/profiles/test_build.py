import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.features import Feature, FeatureType
from hindsight.config.labels import canonical_text
from hindsight.config.metrics import Task
from hindsight.profiles.build import Columns, profile_columns, profile_rows
from hindsight.profiles.codec import decode, encode
from hindsight.profiles.column import merge_columns
from hindsight.profiles.profile import Profile
from hindsight.profiles.reading import group_texts, profile_column
from tests.unit.profiles.builders import FEATURES, exact_parts, row, rows

NUMERIC, CATEGORICAL, BOOLEAN = (Feature(type=kind) for kind in FeatureType)


def test_missing_values_are_counted_apart_from_other_types() -> None:
    numbers = profile_column([1, 2.5, None, "3", True, math.nan, math.inf, 10**400, [1]], NUMERIC)
    texts = profile_column(["a", 1, 1.0, True, 0.5, None, {}, math.nan], CATEGORICAL)
    flags = profile_column([True, False, True, None, 1, "true"], BOOLEAN)

    assert (numbers.rows, numbers.missing, numbers.invalid, numbers.present) == (9, 1, 6, 2)
    assert numbers.distribution.values.tolist() == [1.0, 2.5]
    assert (texts.missing, texts.invalid, texts.counts) == (1, 2, {"1": 2.0, "0.5": 1.0, "a": 1.0, "true": 1.0})
    assert (flags.missing, flags.invalid, flags.counts) == (1, 2, {"true": 2.0, "false": 1.0})


def test_numbers_outside_their_range_are_counted_on_either_side() -> None:
    column = profile_column([-21.0, -20.0, 40.0, 41.0, 42.0, None], FEATURES["temperature"])

    assert (column.below, column.above) == (1, 2)


@pytest.mark.parametrize(
    ("as_list", "as_array", "feature"),
    [
        ([1.0, None, 3.0], np.array([1.0, np.nan, 3.0]), NUMERIC),
        ([1, 2, 3], np.array([1, 2, 3]), NUMERIC),
        (["a", None, "b"], np.array(["a", None, "b"], dtype=object), CATEGORICAL),
        (["a", "b", "b"], np.array(["a", "b", "b"]), CATEGORICAL),
        ([True, False, None], np.array([1.0, 0.0, np.nan]), BOOLEAN),
        ([True, False, True], np.array([True, False, True]), BOOLEAN),
    ],
)
def test_list_and_an_array_of_the_same_values_look_the_same(as_list: Any, as_array: Any, feature: Feature) -> None:
    first, second = profile_column(as_list, feature), profile_column(as_array, feature)

    assert (first.missing, first.invalid, first.counts) == (second.missing, second.invalid, second.counts)
    assert first.distribution.values.tolist() == second.distribution.values.tolist()


anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers(), max_size=1)
)


@given(st.lists(anything, max_size=30), st.sampled_from([NUMERIC, CATEGORICAL, BOOLEAN]))
def test_any_values_give_a_column_whose_rows_add_up(values: list[Any], feature: Feature) -> None:
    column = profile_column(values, feature)

    counted = column.distribution.rows + sum(column.counts.values())
    assert column.rows == len(values) == column.missing + column.invalid + counted
    assert column.missing == sum(value is None for value in values)


@given(st.integers(0, 60), st.integers(0, 60))
def test_profile_of_parts_is_the_profile_of_the_whole(first: int, second: int) -> None:
    found = rows(80)
    cuts = sorted([first, second])
    parts = [
        profile_rows(part, FEATURES, Task.BINARY)
        for part in (found[: cuts[0]], found[cuts[0] : cuts[1]], found[cuts[1] :])
    ]
    whole, merge = exact_parts(profile_rows(found, FEATURES, Task.BINARY)), Profile.merged

    assert exact_parts(merge(parts)) == whole
    assert exact_parts(merge([parts[0], merge(parts[1:])])) == whole
    assert exact_parts(merge([merge([parts[2], parts[0]]), parts[1]])) == whole
    assert exact_parts(merge([Profile.empty(), merge(parts)])) == whole


def test_prediction_that_comes_twice_counts_once() -> None:
    found = rows(30)

    assert exact_parts(profile_rows([*found, *found[:10]], FEATURES, Task.BINARY)) == exact_parts(
        profile_rows(found, FEATURES, Task.BINARY)
    )


def test_scores_are_kept_by_decision_and_outcomes_by_the_hour_they_fall_due() -> None:
    profile = profile_rows(rows(200), FEATURES, Task.BINARY)

    assert profile.decision is not None
    assert set(profile.decision.counts) == set(profile.score_by_decision) == {"0", "1"}
    assert profile.score_by_decision["1"].minimum >= 0.5 > profile.score_by_decision["0"].maximum  # type: ignore[operator]
    assert sum(sketch.rows for sketch in profile.score_by_decision.values()) == profile.score.rows == 200
    assert profile.due["2026-03-03T05"] == 9
    assert sum(profile.due.values()) == 200


def test_regression_has_no_decisions() -> None:
    profile = profile_rows(rows(20), FEATURES, Task.REGRESSION)

    assert (profile.decision, profile.score_by_decision, profile.score.rows) == (None, {}, 20)


def test_only_the_commonest_of_very_many_decisions_are_profiled_apart() -> None:
    many = [row(number, decision=f"class-{number % 150}" if number < 150 else "class-7") for number in range(200)]

    profile = profile_rows(many, FEATURES, Task.MULTICLASS)

    assert len(profile.score_by_decision) == 100
    assert profile.score_by_decision["class-7"].rows == 51


def test_undeclared_features_are_left_out_and_absent_declared_ones_are_missing() -> None:
    declared = {"new": NUMERIC, "also_new": CATEGORICAL}

    profile = profile_rows(rows(5), declared, Task.BINARY)

    assert {name: column.missing for name, column in profile.features.items()} == {"new": 5, "also_new": 5}


@pytest.mark.parametrize("features", [None, [], "text", {"temperature": {}, "channel": [], "holiday": 7}])
def test_rows_of_any_form_give_a_profile(features: Any) -> None:
    broken = [row(number, features=features, score="high", decision=[]) for number in range(3)]

    profile = decode(encode(profile_rows(broken, FEATURES, Task.BINARY)))

    assert (profile.rows, profile.score.invalid, profile.features["temperature"].present) == (3, 3, 0)


def test_sample_holds_whole_rows() -> None:
    found = rows(20)
    profile = decode(encode(profile_rows(found, FEATURES, Task.BINARY)))

    kept = sorted(profile.sample.rows, key=lambda sampled: sampled["prediction_id"])
    names = ("prediction_id", "features", "score", "decision")
    assert kept == [{name: original[name] for name in names} for original in found]


def test_rows_and_columns_give_the_same_profile() -> None:
    found = rows(300)
    columns = Columns(
        prediction_ids=[one["prediction_id"] for one in found],
        features={
            "temperature": np.array([one["features"]["temperature"] for one in found]),
            "channel": [one["features"]["channel"] for one in found],
            "holiday": np.array([float(one["features"]["holiday"]) for one in found]),
        },
        scores=np.array([one["score"] for one in found]),
        decisions=np.array([one["decision"] for one in found]),
        due=[one["outcome_due_at"] for one in found],
    )
    by_column = profile_columns(columns, FEATURES, Task.BINARY)
    by_row = profile_rows(found, FEATURES, Task.BINARY)

    assert by_column.sample == by_row.sample
    assert by_column.due == by_row.due
    for name in FEATURES:
        assert by_column.features[name].counts == by_row.features[name].counts


def test_column_that_changed_its_type_is_invalid_where_fewer_rows_have_it() -> None:
    before = profile_column([1.0, 2.0, None], NUMERIC)
    after = profile_column(["a", "b", "b", "c"], CATEGORICAL)

    for merged in (merge_columns([before, after]), merge_columns([after, before])):
        assert (merged.kind, merged.rows, merged.missing, merged.invalid) == (FeatureType.CATEGORICAL, 7, 1, 2)
        assert merged.counts == {"b": 2.0, "a": 1.0, "c": 1.0}


@given(st.lists(anything, max_size=30))
def test_values_of_any_types_are_grouped_by_their_canonical_text(values: list[Any]) -> None:
    texts, places = group_texts(values)

    grouped = [texts[place] if place >= 0 else None for place in places]
    usable = [
        isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)) for value in values
    ]
    assert grouped == [canonical_text(value) if fits else None for value, fits in zip(values, usable, strict=True)]
