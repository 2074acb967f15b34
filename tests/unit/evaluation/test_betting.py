"""The bettors' wealth: what theory says it cannot do, and what it must."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.evaluation.sequential.betting import MULTIPLES, RICHEST, Hypothesis, Wealth, bet

HYPOTHESIS = Hypothesis(null=0.875, limit=0.85)


def first_doubt(shares: np.ndarray, runs: int, seed: int, hypothesis: Hypothesis = HYPOTHESIS) -> np.ndarray:
    """Find for each run the label at which the e-value first reaches 20, one more than there are if it never does."""
    rng, wealth = np.random.default_rng(seed), Wealth.at_start(hypothesis, (runs,))
    found = np.full(runs, len(shares) + 1)
    for position, share in enumerate(shares, start=1):
        wealth = bet(wealth, hypothesis, (rng.random(runs) < share).astype(np.float64))
        found = np.where((found > position) & (wealth.evidence >= 20), position, found)
    return found


def test_mean_at_the_null_is_rarely_called_a_degradation() -> None:
    assert (first_doubt(np.full(5_000, 0.875), runs=400, seed=1) <= 5_000).mean() <= 0.05


def test_mean_at_the_limit_is_no_degradation_if_the_limit_is_the_null() -> None:
    found = first_doubt(np.full(5_000, 0.85), runs=400, seed=2, hypothesis=Hypothesis(0.85, 0.85))
    assert (found <= 5_000).mean() <= 0.05


@pytest.mark.parametrize("good_labels", [0, 1_000, 4_000])
def test_degradation_is_found_early_and_late_in_the_life_of_a_version(good_labels: int) -> None:
    shares = np.r_[np.full(good_labels, 0.9), np.full(800, 0.8)]
    assert np.median(first_doubt(shares, runs=200, seed=3)) - good_labels <= 400


def test_values_at_the_null_add_no_wealth() -> None:
    wealth = Wealth.at_start(HYPOTHESIS)
    for _ in range(1_000):
        wealth = bet(wealth, HYPOTHESIS, np.asarray(0.875))
    assert wealth.evidence == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(1, 1e4)), max_size=60), st.floats(0.02, 0.98), st.floats(0, 1))
def test_wealth_stays_a_positive_number(rounds: list[tuple[float, float]], null: float, share: float) -> None:
    hypothesis = Hypothesis(null, max(0.01, null * share))
    wealth = Wealth.at_start(hypothesis, heaviest=1e4)
    for value, weight in rounds:
        wealth = bet(wealth, hypothesis, value, weight)
    assert 0 < wealth.evidence <= RICHEST * len(MULTIPLES) + 1


@given(st.floats(0.05, 0.95), st.floats(0, 1), st.lists(st.booleans(), max_size=30))
def test_expected_gain_of_a_round_at_the_null_is_not_positive(null: float, share: float, past: list[bool]) -> None:
    hypothesis = Hypothesis(null, max(0.01, null * share))
    wealth = Wealth.at_start(hypothesis)
    for right in past:
        wealth = bet(wealth, hypothesis, np.asarray(float(right)))
    won, lost = (bet(wealth, hypothesis, np.asarray(value)).evidence for value in (0.0, 1.0))
    assert (1 - null) * won + null * lost <= wealth.evidence * (1 + 1e-9)


@pytest.mark.parametrize("audit", [0.1, 0.02, 0.005])
def test_weighted_rows_count_by_their_weight(audit: float) -> None:
    """Hard rows are always reviewed and half wrong, the others rarely and nearly always right: 0.9 in all."""
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(60):
        wealth, doubt = Wealth.at_start(HYPOTHESIS, heaviest=1 / audit), False
        for is_hard in rng.random(3_000) < 0.1:
            chance, share = (1.0, 0.5) if is_hard else (audit, 0.9444)
            if rng.random() < chance:
                wealth = bet(wealth, HYPOTHESIS, float(rng.random() < share), 1 / chance)
                doubt |= bool(wealth.evidence >= 20)
        alarms += doubt
    assert alarms <= 6


def test_row_above_the_largest_weight_is_rejected() -> None:
    with pytest.raises(ValueError, match="heavier"):
        bet(Wealth.at_start(HYPOTHESIS, heaviest=10), HYPOTHESIS, 1.0, 11.0)
