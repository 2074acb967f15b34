import itertools
import random
from collections import Counter
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.features import Feature, FeatureType
from hindsight.review.selection.diversity import (
    MAX_FEATURES,
    MIN_DENSITY_FACTOR,
    Moments,
    along_the_cells,
    cells_of,
    density_factors,
    moments_with,
)

NUMBER, CATEGORY, FLAG = (Feature(type=kind) for kind in FeatureType)
RANGED = Feature(type=FeatureType.NUMERIC, min=0, max=10)


@dataclass
class World:
    """Twenty features, as an ordinary model has them."""

    dice: random.Random

    features = {f"n{number}": NUMBER for number in range(15)} | {f"c{number}": CATEGORY for number in range(5)}

    def row(self) -> dict[str, Any]:
        numbers = {f"n{number}": self.dice.gauss(50, 10) for number in range(15)}
        return {**numbers, **{f"c{number}": self.dice.choice("abcd") for number in range(5)}}

    def near(self, row: dict[str, Any]) -> dict[str, Any]:
        return {name: value + self.dice.gauss(0, 0.3) if name.startswith("n") else value for name, value in row.items()}


def test_near_duplicates_of_twenty_features_fall_into_one_cell_and_other_rows_into_many() -> None:
    world = World(random.Random(1))
    rows = [world.row() for _ in range(400)]
    first = rows[0]
    rows += [world.near(first) for _ in range(100)]
    cells = cells_of(rows, world.features, moments_with({}, rows, world.features))
    assert Counter(cells[400:]).most_common(1)[0][1] >= 80
    assert len(set(cells[:400])) >= 50


def test_running_moments_are_those_of_all_rows_together() -> None:
    dice = random.Random(2)
    values = [dice.gauss(7, 3) for _ in range(200)]
    rows: list[dict[str, Any]] = [{"n": value} for value in values]
    moments = moments_with({}, rows[:50], {"n": NUMBER})
    moments = moments_with(moments, [*rows[50:], {"n": None}, {}], {"n": NUMBER})
    assert moments["n"].count == 200
    assert moments["n"].scale == pytest.approx((fmean(values), pstdev(values)))


def test_only_features_without_a_declared_range_are_kept_count_of_and_not_too_many() -> None:
    features = {"ranged": RANGED, "kind": CATEGORY, **{f"n{number}": NUMBER for number in range(100)}}
    row = dict.fromkeys(features, 1.0)
    assert len(moments_with({}, [row], features)) == MAX_FEATURES - 2
    assert moments_with({"gone": Moments(3, 1.0, 1.0)}, [row], {"ranged": RANGED}) == {}


def test_missing_values_categories_and_extremes_all_have_a_cell() -> None:
    features = {"ranged": RANGED, "n": NUMBER, "kind": CATEGORY, "flag": FLAG}
    rows: list[dict[str, Any]] = [
        {"ranged": 5, "n": 1e308, "kind": "a", "flag": True},
        {"ranged": -1e308, "n": -1e308, "kind": 7, "flag": False},
        dict.fromkeys(features),
        {},
    ]
    cells = cells_of(rows, features, moments_with({}, rows, features))
    assert cells[2] == cells[3]
    assert len(set(cells)) >= 2


def test_constant_feature_separates_no_predictions() -> None:
    rows = [{"n": 3.0}] * 5
    assert len(set(cells_of(rows, {"n": NUMBER}, moments_with({}, rows, {"n": NUMBER})))) == 1


def test_sorted_cells_follow_one_another_as_neighbours() -> None:
    grid = [(x, y, z) for x in range(-2, 2) for y in range(-2, 2) for z in range(-2, 2)]
    ordered = sorted(grid, key=along_the_cells)
    steps = [sum(abs(a - b) for a, b in zip(here, there, strict=True)) for here, there in itertools.pairwise(ordered)]
    assert set(steps) == {1}


def test_the_fuller_a_cell_the_less_its_rows_weigh() -> None:
    cells = [(0,)] * 90 + [(1,)] * 10
    factors = density_factors(cells, {}, 1.0)
    assert sum(factors[:90]) == pytest.approx(sum(factors[90:]))
    assert density_factors(cells, {}, 0.0) == [1.0] * 100


def test_samples_of_the_day_make_a_cell_less_wanted_even_for_single_rows() -> None:
    sampled = {(0,): 40, (1,): 1, (2,): 1}
    assert density_factors([(0,)], sampled, 0.5)[0] < 0.7
    assert density_factors([(1,)], sampled, 0.5)[0] > 1
    assert density_factors([(5,)], {}, 0.5) == [1.0]


@given(
    cells=st.lists(st.tuples(st.integers(-3, 3)), min_size=1, max_size=50),
    sampled=st.dictionaries(st.tuples(st.integers(-3, 3)), st.integers(1, 100_000)),
    diversity=st.floats(0, 1),
)
def test_no_crowd_takes_all_weight_from_a_row(
    cells: list[tuple[int]], sampled: dict[tuple[int, ...], int], diversity: float
) -> None:
    assert all(factor >= MIN_DENSITY_FACTOR for factor in density_factors(cells, sampled, diversity))
