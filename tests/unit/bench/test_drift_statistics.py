"""The statistics of the drift benchmark: the step-up procedure on arrays, a check a row."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.drift_statistics import benjamini_hochberg


def plain_benjamini_hochberg(p_values: list[float], alpha: float) -> list[bool]:
    ranked = sorted(p_values)
    passing = [value for rank, value in enumerate(ranked, 1) if value <= alpha * rank / len(ranked)]
    return [bool(passing) and value <= max(passing) for value in p_values]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.001, 0.5))
def test_benjamini_hochberg_equals_the_plain_procedure(p_values: list[float], alpha: float) -> None:
    limit = benjamini_hochberg(p_values, alpha)
    assert [bool(value <= limit) for value in p_values] == plain_benjamini_hochberg(p_values, alpha)


def test_benjamini_hochberg_is_scipys() -> None:
    p_values = np.random.default_rng(3).uniform(size=50) ** 3
    expected = stats.false_discovery_control(p_values) <= 0.05
    assert (p_values <= benjamini_hochberg(p_values, 0.05)).tolist() == expected.tolist()


def test_no_hypothesis_is_rejected_where_there_is_none() -> None:
    assert benjamini_hochberg([], 0.05) == 0


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=5))
def test_vectorised_levels_equal_single_ones(checks: list[list[float]]) -> None:
    levels = np.linspace(0.01, 0.2, len(checks))
    found = benjamini_hochberg(checks, levels).tolist()
    assert found == [benjamini_hochberg(check, level) for check, level in zip(checks, levels, strict=True)]
