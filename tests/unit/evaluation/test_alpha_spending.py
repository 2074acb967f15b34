from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.evaluation.sequential.alpha_spending import level_of

PROMOTED = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ALPHAS = st.floats(0.0001, 0.5)


def level(alpha: float, hours: float) -> float:
    return level_of(alpha, PROMOTED, PROMOTED + timedelta(hours=hours))


@pytest.mark.parametrize("years", [1, 10])
def test_hourly_checks_never_spend_more_than_alpha(years: int) -> None:
    spent = sum(level(0.01, hour) for hour in range(1, years * 8760 + 1))
    assert 0.009 < spent < 0.01


def test_half_of_alpha_is_spent_after_thirty_days() -> None:
    assert sum(level(0.01, hour) for hour in range(1, 721)) == pytest.approx(0.005)


@given(ALPHAS, st.sets(st.integers(1, 20_000), max_size=200))
def test_no_choice_of_hours_spends_more_than_alpha(alpha: float, hours: set[int]) -> None:
    assert sum(level(alpha, hour) for hour in hours) <= alpha


@given(ALPHAS, st.integers(1, 20_000))
def test_levels_are_positive_and_decrease(alpha: float, hour: int) -> None:
    assert 0 < level(alpha, hour + 1) < level(alpha, hour) < alpha


@given(st.integers(1, 20_000), st.floats(0.001, 0.999))
def test_checks_within_an_hour_share_its_level(hour: int, part: float) -> None:
    assert level(0.01, hour - part) == level(0.01, hour)


@given(st.floats(-10_000, 0))
def test_check_before_the_promotion_is_one_of_the_first_hour(hours: float) -> None:
    assert level(0.01, hours) == level(0.01, 1)


def test_replayed_check_has_the_same_level() -> None:
    assert level(0.01, 1234.5) == level(0.01, 1234.5)
