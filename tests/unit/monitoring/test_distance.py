import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance as scipy_distance
from scipy.special import rel_entr

from hindsight.monitoring.drift.distance import (
    jensen_shannon_distance,
    population_stability_index,
    standardised_wasserstein,
    total_variation,
    wasserstein_distance,
)
from hindsight.profiles.distribution import Distribution

NUMBERS = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40)
ANY_NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20)
OF_BINS = (population_stability_index, jensen_shannon_distance, total_variation)


def counts_of(size: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 50), min_size=size, max_size=size).filter(any)


def pairs_of(size: int) -> st.SearchStrategy[tuple[list[int], list[int]]]:
    return st.tuples(counts_of(size), counts_of(size))


PAIRS = st.integers(2, 6).flatmap(pairs_of)


def exact(values: list[float]) -> Distribution:
    return Distribution.exact(np.array(values))


def shares(counts: list[int]) -> list[float]:
    return [count / sum(counts) for count in counts]


@given(NUMBERS, NUMBERS)
def test_wasserstein_is_scipys(first: list[float], second: list[float]) -> None:
    found = wasserstein_distance(exact(first), exact(second))
    assert found == pytest.approx(stats.wasserstein_distance(first, second), abs=1e-9)


@given(PAIRS)
def test_jensen_shannon_is_scipys(pair: tuple[list[int], list[int]]) -> None:
    first, second = map(shares, pair)
    expected = scipy_distance.jensenshannon(first, second, base=2)
    assert jensen_shannon_distance(first, second) == pytest.approx(expected, abs=1e-6)


@given(PAIRS)
def test_psi_is_the_sum_of_scipys_relative_entropies(pair: tuple[list[int], list[int]]) -> None:
    first, second = (np.maximum(shares(counts), 1e-4) for counts in pair)
    expected = (rel_entr(first, second) + rel_entr(second, first)).sum()
    assert population_stability_index(first, second) == pytest.approx(expected, abs=1e-12)


@given(PAIRS)
def test_distances_between_bins_are_symmetric_zero_between_equals_and_bounded(
    pair: tuple[list[int], list[int]],
) -> None:
    first, second = map(shares, pair)
    for measure in OF_BINS:
        assert measure(first, first) == pytest.approx(0, abs=1e-12)
        assert measure(first, second) == pytest.approx(measure(second, first))
        assert 0 <= measure(first, second) < np.inf
    assert jensen_shannon_distance(first, second) <= 1
    assert total_variation(first, second) <= 1 + 1e-12


@given(PAIRS, st.permutations(range(6)))
def test_order_of_bins_does_not_matter(pair: tuple[list[int], list[int]], order: list[int]) -> None:
    first, second = map(shares, pair)
    kept = [place for place in order if place < len(first)]
    for measure in OF_BINS:
        reordered = measure([first[place] for place in kept], [second[place] for place in kept])
        assert reordered == pytest.approx(measure(first, second))


@given(st.lists(pairs_of(3), min_size=1, max_size=4))
def test_vectorised_comparisons_equal_single_ones(pairs: list[tuple[list[int], list[int]]]) -> None:
    first, second = (np.array([shares(pair[side]) for pair in pairs]) for side in (0, 1))
    for measure in OF_BINS:
        assert measure(first, second).tolist() == [measure(*pair) for pair in zip(first, second, strict=True)]


@given(NUMBERS, NUMBERS, st.floats(-100, 100), st.floats(0.1, 10))
def test_wasserstein_is_a_distance_in_the_values_unit(
    first: list[float], second: list[float], shift: float, scale: float
) -> None:
    there, back = (
        wasserstein_distance(*pair) for pair in ((exact(first), exact(second)), (exact(second), exact(first)))
    )
    assert there == pytest.approx(back)
    assert wasserstein_distance(exact(first), exact(first)) == 0
    moved = [[value * scale + shift for value in values] for values in (first, second)]
    assert wasserstein_distance(*map(exact, moved)) == pytest.approx(there * scale, abs=1e-6)


@given(ANY_NUMBERS, ANY_NUMBERS)
def test_standardised_wasserstein_is_finite_for_any_values(first: list[float], second: list[float]) -> None:
    found = standardised_wasserstein(exact(first), exact(second))
    assert 0 <= found < np.inf
    assert standardised_wasserstein(exact(first), exact(first)) == 0


def test_shift_is_measured_in_standard_deviations() -> None:
    values = np.random.default_rng(1).normal(50, 10, size=5_000).tolist()
    assert standardised_wasserstein(exact(values), exact([value + 15 for value in values])) == pytest.approx(
        1.5, abs=0.05
    )
