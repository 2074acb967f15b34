import math
import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from hindsight.evaluation.weighted_estimate import weighted_estimate

ROWS = st.lists(st.tuples(st.floats(0, 1), st.floats(1e-6, 1)), min_size=1, max_size=40)


def test_estimate_without_rows_has_no_value() -> None:
    found = weighted_estimate([], [], 0.95)
    assert (found.value, found.lower, found.upper, found.rows, found.effective_rows) == (None, 0, 1, 0, 0)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("rows", [1, 2, 30])
def test_rows_all_right_or_all_wrong_have_wide_bounds(value: float, rows: int) -> None:
    found = weighted_estimate([value] * rows, [0.5, *[0.01] * (rows - 1)], 0.95)
    assert found.value == value
    assert found.lower == 0 or found.lower > 0.01
    assert found.upper - found.lower > 1 / (rows + 4)
    assert found.lower <= value <= found.upper


def test_single_row_has_very_wide_bounds() -> None:
    found = weighted_estimate([1.0], [0.02], 0.95)
    assert found.effective_rows == 1
    assert found.lower < 0.1


def test_each_row_counts_by_its_inverse_probability() -> None:
    # 100 rows: 10 hard ones, all reviewed and half of them wrong; 90 easy ones, every tenth reviewed, all right.
    values = [0.0] * 5 + [1.0] * 5 + [1.0] * 9
    found = weighted_estimate(values, [1.0] * 10 + [0.1] * 9, 0.95)
    assert found.value == pytest.approx(0.95)
    assert fmean(values) == pytest.approx(14 / 19)


@pytest.mark.parametrize(("right", "wrong"), [(450, 50), (19, 1), (7, 0), (0, 3), (1, 0)])
def test_equal_probabilities_give_clopper_and_pearson_s_interval(right: int, wrong: int) -> None:
    found = weighted_estimate([1.0] * right + [0.0] * wrong, [0.05] * (right + wrong), 0.95)
    exact = binomtest(right, right + wrong).proportion_ci(0.95, method="exact")
    assert found.effective_rows == pytest.approx(right + wrong)
    assert (found.lower, found.upper) == pytest.approx((exact.low, exact.high))


@given(rows=ROWS, confidence=st.floats(0.5, 0.999))
def test_interval_holds_its_value_within_0_and_1(rows: list[tuple[float, float]], confidence: float) -> None:
    values, probabilities = zip(*rows, strict=True)
    found = weighted_estimate(values, probabilities, confidence)
    assert found.value is not None
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert 1 <= found.effective_rows <= len(rows) * (1 + 1e-9)


@given(rows=ROWS, scale=st.floats(0.01, 1))
def test_only_the_ratio_of_probabilities_counts(rows: list[tuple[float, float]], scale: float) -> None:
    values = [value for value, _ in rows]
    found = weighted_estimate(values, [chance for _, chance in rows], 0.9)
    scaled = weighted_estimate(values, [chance * scale for _, chance in rows], 0.9)
    assert scaled.value == pytest.approx(found.value)
    assert (scaled.lower, scaled.upper) == pytest.approx((found.lower, found.upper), abs=1e-6)


@pytest.mark.parametrize("chance", [0.0, -0.1, 1.01, math.nan])
def test_invalid_probability_is_rejected(chance: float) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        weighted_estimate([1.0, 0.0], [0.5, chance], 0.95)


def test_invalid_input_is_rejected() -> None:
    for values, chances, confidence in (([1.0], [], 0.95), ([1.5], [0.5], 0.95), ([1.0], [0.5], 1.0)):
        with pytest.raises(ValueError, match=r"values|confidence"):
            weighted_estimate(values, chances, confidence)


@pytest.mark.parametrize(("error_rate", "least"), [(0.1, 0.002), (0.02, 0.002), (0.01, 0.03)])
def test_intervals_hold_at_their_confidence_with_skewed_weights_and_few_errors(error_rate: float, least: float) -> None:
    dice = random.Random(20261124)
    held, samples, population = 0, 400, 1500
    for _ in range(samples):
        chances = [least + (1 - least) * 0.3 * dice.betavariate(0.5, 2) ** 2 for _ in range(population)]
        highest = max(chances)
        wrong = [dice.random() < error_rate * (0.1 + 4 * chance / highest) for chance in chances]
        seen = [index for index, chance in enumerate(chances) if dice.random() < chance]
        found = weighted_estimate([1.0 - wrong[index] for index in seen], [chances[index] for index in seen], 0.95)
        held += found.lower <= 1 - fmean(wrong) <= found.upper
    assert held / samples >= 0.93
