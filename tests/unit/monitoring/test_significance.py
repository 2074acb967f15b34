import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance as scipy_distance

from shared.monitoring.distance import (
    jensen_shannon_distance,
    population_stability_index,
    total_variation,
    wasserstein_distance,
)
from shared.monitoring.significance import benjamini_hochberg, chi_squared, kolmogorov_smirnov

NUMBERS = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40)
COUNTS = st.lists(st.integers(0, 50), min_size=3, max_size=6).filter(any)


def proportions(counts: list[int]) -> list[float]:
    return [count / sum(counts) for count in counts]


@given(NUMBERS, NUMBERS)
def test_wasserstein_is_scipys(first: list[float], second: list[float]) -> None:
    found = wasserstein_distance(np.sort(first), np.sort(second))
    assert found == pytest.approx(stats.wasserstein_distance(first, second), abs=1e-9)


@given(st.data(), COUNTS)
def test_jensen_shannon_is_scipys(data: st.DataObject, first: list[int]) -> None:
    second = data.draw(st.lists(st.integers(0, 50), min_size=len(first), max_size=len(first)).filter(any))
    expected = scipy_distance.jensenshannon(proportions(first), proportions(second), base=2)
    assert jensen_shannon_distance(proportions(first), proportions(second)) == pytest.approx(expected, abs=1e-6)


@given(st.data(), COUNTS)
def test_every_distance_is_zero_between_equals_and_never_negative(data: st.DataObject, first: list[int]) -> None:
    second = data.draw(st.lists(st.integers(0, 50), min_size=len(first), max_size=len(first)).filter(any))
    for measure in (population_stability_index, jensen_shannon_distance, total_variation):
        assert measure(proportions(first), proportions(first)) == pytest.approx(0, abs=1e-12)
        there, back = (measure(proportions(one), proportions(two)) for one, two in ((first, second), (second, first)))
        assert there == pytest.approx(back)
        assert 0 <= there < np.inf


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # scipy dividing by its own rounding
@given(NUMBERS, NUMBERS)
def test_the_kolmogorov_smirnov_statistic_is_scipys(first: list[float], second: list[float]) -> None:
    statistic, p_value = kolmogorov_smirnov(np.sort(first), np.sort(second))
    assert statistic == pytest.approx(stats.ks_2samp(first, second, method="asymp").statistic)
    assert 0 <= p_value <= 1


def test_its_p_value_is_close_to_the_exact_one() -> None:
    rng = np.random.default_rng(1)
    first, second = np.sort(rng.normal(size=800)), np.sort(rng.normal(0.08, size=600))
    exact = stats.ks_2samp(first, second, method="exact").pvalue
    assert kolmogorov_smirnov(first, second)[1] == pytest.approx(exact, rel=0.1)


def test_a_thinned_reference_does_not_make_the_same_distribution_significant() -> None:
    rng = np.random.default_rng(2)
    whole = np.sort(rng.normal(size=200_000))
    thinned = whole[np.linspace(0, len(whole) - 1, 2000).round().astype(int)]
    again = np.sort(rng.normal(size=200_000))
    assert kolmogorov_smirnov(thinned, again, reference_rows=len(whole))[1] > 0.01
    moved = np.sort(rng.normal(0.02, size=200_000))
    assert kolmogorov_smirnov(thinned, moved, reference_rows=len(whole))[1] < 1e-6


@given(st.data(), st.lists(st.integers(40, 90), min_size=2, max_size=6))
def test_chi_squared_is_scipys_where_no_bin_is_rare(data: st.DataObject, first: list[int]) -> None:
    second = data.draw(st.lists(st.integers(40, 90), min_size=len(first), max_size=len(first)))
    expected = stats.chi2_contingency([first, second], correction=False)
    statistic, p_value = chi_squared(first, second)
    assert statistic == pytest.approx(expected.statistic)
    assert p_value == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(("first", "second"), [([], []), ([0, 0], [5, 5]), ([500], [500]), ([1, 1], [1, 1])])
def test_chi_squared_without_evidence_says_so(first: list[int], second: list[int]) -> None:
    assert chi_squared(first, second) == (0.0, 1.0)


def plain_benjamini_hochberg(p_values: list[float], alpha: float) -> list[bool]:
    ranked = sorted(p_values)
    passing = [value for rank, value in enumerate(ranked, 1) if value <= alpha * rank / len(ranked)]
    return [bool(passing) and value <= max(passing) for value in p_values]


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.001, 0.5))
def test_benjamini_hochberg_is_the_plain_one(p_values: list[float], alpha: float) -> None:
    assert benjamini_hochberg(p_values, alpha) == plain_benjamini_hochberg(p_values, alpha)


def test_benjamini_hochberg_is_scipys() -> None:
    p_values = np.random.default_rng(3).uniform(size=50) ** 3
    expected = list(stats.false_discovery_control(p_values) <= 0.05)
    assert benjamini_hochberg(list(p_values), 0.05) == expected
