import math
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.review.selection.sampling import UNITS, hash_uniform, inclusion_units, systematic_sample

WEIGHTS = st.lists(st.floats(1e-4, 1.0), min_size=1, max_size=60)


def test_the_dice_fall_the_same_way_every_time_and_evenly() -> None:
    thrown = [hash_uniform("audit", "bike", f"p-{number}") for number in range(20_000)]
    assert thrown == [hash_uniform("audit", "bike", f"p-{number}") for number in range(20_000)]
    assert all(0 <= number < 1 for number in thrown)
    for share in (0.02, 0.5, 0.9):
        found = fmean(number < share for number in thrown)
        assert found == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / len(thrown)))


def test_parts_are_divided_at_their_boundary() -> None:
    assert hash_uniform("a", "bc") != hash_uniform("ab", "c")


@given(weights=WEIGHTS, share=st.floats(0.001, 1.5))
def test_probabilities_are_positive_at_most_1_and_sum_to_the_target(weights: list[float], share: float) -> None:
    target = share * len(weights)
    units = inclusion_units(weights, target)
    assert all(0 < unit <= UNITS for unit in units)
    assert sum(units) == min(int(target * UNITS), len(weights) * UNITS)


@given(weights=WEIGHTS, share=st.floats(0.001, 1.0))
def test_probabilities_below_1_are_proportional_to_weight_and_the_others_are_the_heaviest(
    weights: list[float], share: float
) -> None:
    chances = [unit / UNITS for unit in inclusion_units(weights, share * len(weights))]
    open_ones = [(weight, chance) for weight, chance in zip(weights, chances, strict=True) if chance < 1 - 1e-9]
    certain = [weight for weight, chance in zip(weights, chances, strict=True) if chance >= 1 - 1e-9]
    scales = [chance / weight for weight, chance in open_ones]
    assert not scales or max(scales) == pytest.approx(min(scales), rel=1e-6)
    assert not certain or not open_ones or min(certain) >= max(weight for weight, _ in open_ones) * (1 - 1e-6)


def test_nothing_due_takes_nothing_and_more_than_there_is_takes_all() -> None:
    assert inclusion_units([0.5, 0.1], 0) == [0, 0]
    assert inclusion_units([0.5, 0.1], 7.0) == [UNITS, UNITS]
    assert systematic_sample([0, 0], 0.0) == []


@given(weights=WEIGHTS, share=st.floats(0.001, 1.2), start=st.floats(0, 1, exclude_max=True))
def test_a_systematic_sample_is_its_sum_rounded_down_or_up(weights: list[float], share: float, start: float) -> None:
    target = min(share * len(weights), float(len(weights)))
    drawn = systematic_sample(inclusion_units(weights, target), start)
    assert math.floor(target) <= len(drawn) <= math.ceil(target)
    assert len(set(drawn)) == len(drawn)


@given(weights=WEIGHTS, size=st.integers(1, 60), start=st.sampled_from([0.0, 5e-324, 2**-60, 2**-53, 1 - 2**-53]))
def test_a_whole_target_is_met_exactly_even_at_the_ends_of_the_dice(
    weights: list[float], size: int, start: float
) -> None:
    assert len(systematic_sample(inclusion_units(weights, size), start)) == min(size, len(weights))


@given(weights=st.lists(st.floats(0.01, 1.0), min_size=2, max_size=12), share=st.floats(0.05, 0.95))
def test_over_all_starts_each_row_comes_as_often_as_its_probability_says(weights: list[float], share: float) -> None:
    units = inclusion_units(weights, share * len(weights))
    starts = 4000
    counts = [0] * len(weights)
    for position in range(starts):
        for index in systematic_sample(units, (position + 0.5) / starts):
            counts[index] += 1
    for unit, count in zip(units, counts, strict=True):
        assert count / starts == pytest.approx(unit / UNITS, abs=2 / starts)


def test_hashed_starts_draw_as_often_as_the_probabilities_say() -> None:
    units = inclusion_units([0.9, 0.5, 0.3, 0.2, 0.05, 0.05], 2)
    draws = 20_000
    counts = [0] * len(units)
    for number in range(draws):
        for index in systematic_sample(units, hash_uniform("draw", f"batch-{number}")):
            counts[index] += 1
    for unit, count in zip(units, counts, strict=True):
        chance = unit / UNITS
        assert count / draws == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / draws) + 1e-9)
