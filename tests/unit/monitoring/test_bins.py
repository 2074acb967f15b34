from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.features import Feature, FeatureType
from hindsight.monitoring.drift.bins import CategoryCounts, category_bins, common_bins, number_bins
from hindsight.monitoring.drift.distance import population_stability_index
from hindsight.profiles.distribution import Distribution
from hindsight.profiles.reading import profile_column, profile_texts

NUMBERS = st.lists(st.floats(-1e6, 1e6) | st.integers(0, 3).map(float), min_size=1, max_size=60)
COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 60).map(float), max_size=8)


def exact(values: object) -> Distribution:
    return Distribution.exact(np.asarray(values, dtype=np.float64))


def counted(counts: dict[str, float]) -> CategoryCounts:
    return CategoryCounts(counts, sum(counts.values()))


@given(NUMBERS, NUMBERS)
def test_every_number_falls_into_one_bin(first: list[float], second: list[float]) -> None:
    bins = number_bins(exact(first), exact(second))
    assert (bins.reference.sum(), bins.current.sum()) == (len(first), len(second))
    assert len(bins.names) == len(bins.reference) == len(bins.current) == len(bins.slack)


@given(COUNTS, COUNTS)
def test_every_category_falls_into_one_bin(first: dict[str, float], second: dict[str, float]) -> None:
    bins = category_bins(counted(first), counted(second))
    assert (bins.reference.sum(), bins.current.sum()) == (sum(first.values()), sum(second.values()))
    assert len(bins.names) == len(bins.reference) == len(bins.current) == len(bins.slack)


@given(COUNTS, COUNTS)
def test_named_categories_do_not_depend_on_the_order_of_samples(
    first: dict[str, float], second: dict[str, float]
) -> None:
    there, back = (
        category_bins(*pair) for pair in ((counted(first), counted(second)), (counted(second), counted(first)))
    )
    assert sorted(zip(there.names, there.reference, there.current, strict=True)) == sorted(
        zip(back.names, back.current, back.reference, strict=True)
    )


def test_numbers_fall_between_the_deciles_of_the_reference() -> None:
    bins = number_bins(exact(np.arange(1000)), exact(np.full(50, 42.0)))
    assert bins.reference.tolist() == [100] * 10
    assert bins.current.tolist() == [50, *[0] * 9]
    assert (bins.names[0], bins.names[1], bins.names[-1]) == ("up to 99", "99 to 199", "above 899")


def test_few_numbers_are_compared_one_by_one() -> None:
    bins = number_bins(exact([0, 0, 1, 2]), exact([1, 1, 5]))
    assert bins.names == ("0", "1", "2", "other values")
    assert bins.reference.tolist() == [2, 1, 1, 0]
    assert bins.current.tolist() == [0, 2, 0, 1]


def test_rare_categories_share_a_bin_and_a_new_frequent_one_has_its_own() -> None:
    reference = {"web": 9000.0, "app": 990.0, "fax": 4.0, "telex": 6.0}
    bins = category_bins(counted(reference), counted({"web": 400.0, "app": 50.0, "bot": 45.0, "fax": 5.0}))
    assert bins.names == ("web", "app", "bot", "rare categories")
    assert bins.reference.tolist() == [9000, 990, 0, 10]
    assert bins.current.tolist() == [400, 50, 45, 5]


def test_single_rare_category_keeps_its_name() -> None:
    assert category_bins(counted({"web": 900.0, "fax": 2.0}), counted({"web": 500.0})).names == ("web", "fax")


@pytest.mark.parametrize("values", [[], [None], [["x"], None]])
@pytest.mark.parametrize("kind", FeatureType)
def test_columns_without_values_have_bins_without_rows(values: list[object], kind: FeatureType) -> None:
    column = profile_column(values, Feature(type=kind))
    bins = common_bins(column, column)
    assert bins.reference.sum() == bins.current.sum() == 0
    assert all(share.sum() == 0 for share in bins.shares)


def test_uncounted_categories_are_rare_categories() -> None:
    dice = np.random.default_rng(1)
    columns = [profile_texts([f"id-{value}" for value in dice.integers(0, 100_000, 5_000)]) for _ in range(2)]
    bins = common_bins(*columns)
    assert bins.names == ("rare categories",)
    assert bins.reference.tolist() == bins.current.tolist() == [5_000]


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_few_numbers_are_known_again_in_spite_of_rounding(precision: type[np.floating[Any]]) -> None:
    values = np.arange(1, 13) / 10 * 1.1
    written = values.astype(precision).astype(np.float64) + 0.1 - 0.1
    bins = number_bins(exact(np.repeat(values, 50)), exact(np.repeat(written, 50)))

    assert bins.current.tolist() == bins.reference.tolist()
    assert bins.current[-1] == 0


def test_change_beside_a_value_that_ties_moves_bins() -> None:
    spend = np.concatenate([np.zeros(9_000), np.linspace(1, 100, 1_000)])
    bins = number_bins(exact(spend), exact(spend * 100))

    assert bins.reference.tolist() == [9_000, *[200] * 5]
    assert bins.current.tolist() == [9_000, 0, 0, 0, 0, 1_000]
    assert float(population_stability_index(*bins.shares)) > 0.2


@given(NUMBERS, NUMBERS)
def test_edges_leave_every_number_in_one_bin_for_any_ties(first: list[float], second: list[float]) -> None:
    tied = [0.0] * (9 * len(first)) + first
    bins = number_bins(exact(tied), exact(second))
    assert (bins.reference.sum(), bins.current.sum()) == (len(tied), len(second))


@pytest.mark.parametrize("count", [4, 12, 20, 21, 25, 100])
@pytest.mark.parametrize(
    ("start", "step"),
    [(0.1, 0.1), (1 / 7, 1 / 7), (1e6, 0.1), (99_999.0, 0.01), (20_260_101, 1), (1.7e9, 60), (0, 1e-13)],
)
def test_values_by_single_precision_are_the_same_and_neighbours_are_others(
    start: float, step: float, count: int
) -> None:
    values = start + step * np.arange(count)
    single = exact(values.astype(np.float32).astype(np.float64))
    lower, upper = exact(values[: count // 2]), exact(values[count // 2 :])

    assert population_stability_index(*number_bins(exact(values), single).shares) < 0.05
    assert population_stability_index(*number_bins(lower, upper).shares) > 1


def test_next_whole_number_is_another_one() -> None:
    bins = number_bins(exact(np.full(9, 20_260_101)), exact(np.full(9, 20_260_102)))

    assert bins.current.tolist() == [0, 9]


def test_value_of_one_decile_stays_in_its_bin_in_spite_of_rounding() -> None:
    rest = np.linspace(0, 1, 880)
    reference, current = (exact(np.append(rest, np.full(120, tied))) for tied in (0.3, float(np.float32(0.3))))

    assert population_stability_index(*number_bins(reference, current).shares) < 0.01


def test_bins_of_numbers_that_look_alike_have_different_names() -> None:
    bins = number_bins(exact(20_260_101 + np.arange(12)), exact([20_260_101.0]))

    assert len(set(bins.names)) == len(bins.names) == 13
