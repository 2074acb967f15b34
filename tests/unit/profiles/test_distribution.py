import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.profiles.distribution import Distribution

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=1), st.lists(finite, min_size=1))
def test_shares_are_those_counted(values: list[float], asked: list[float]) -> None:
    shares = Distribution.exact(np.array(values)).share_at_or_below(asked)

    assert shares.tolist() == pytest.approx([sum(value <= limit for value in values) / len(values) for limit in asked])


@given(st.lists(finite, min_size=1), st.floats(0, 1))
def test_quantile_is_the_least_value_that_reaches_its_share(values: list[float], share: float) -> None:
    distribution = Distribution.exact(np.array(values))
    found = float(distribution.quantile(share))

    assert found in values
    assert distribution.share_at_or_below(found) * len(values) >= share * len(values) - 1e-6
    lesser = [value for value in values if value < found]
    assert not lesser or len(lesser) / len(values) < share + 1e-9


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_mean_and_spread_are_those_of_the_values(values: list[float]) -> None:
    distribution = Distribution.exact(np.array(values))

    assert distribution.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-6)
    assert distribution.std == pytest.approx(np.std(values), rel=1e-6, abs=1e-3)


def test_spread_of_huge_values_is_finite() -> None:
    assert Distribution.exact(np.array([-1e300, 1e300])).std == pytest.approx(1e300)


def test_empty_distribution_has_no_statistics() -> None:
    nothing = Distribution.exact(np.array([]))

    assert (nothing.rows, nothing.share_at_or_below([1.0]).tolist()) == (0.0, [0.0])
    assert np.isnan([nothing.mean, nothing.std, *nothing.quantile([0.5])]).all()


def test_points_are_ascending_and_equal_values_are_one() -> None:
    points = Distribution.exact(np.array([2.0, 1.0, 2.0]))

    assert (points.values.tolist(), points.weights.tolist(), points.rows) == ([1.0, 2.0], [1.0, 2.0], 3.0)
