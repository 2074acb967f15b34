"""Profiles count each row as often as its weight, within the error that a sketch states."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.config.features import Feature, FeatureType
from hindsight.config.metrics import Task
from hindsight.profiles.build import profile_rows, whole_weights
from hindsight.profiles.codec import decode, encode
from hindsight.profiles.numbers import NumberSketch
from hindsight.profiles.profile import Profile
from hindsight.profiles.reading import profile_column
from tests.unit.profiles.builders import FEATURES, exact_parts, row, rows

SMALL = st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 6)), min_size=1, max_size=8)


@given(SMALL)
def test_sketch_of_few_weighted_numbers_is_that_of_their_copies(pairs: list[tuple[int, int]]) -> None:
    values, weights = (np.array(side) for side in zip(*pairs, strict=True))
    found = NumberSketch.of(values.astype(np.float64), weights=weights.astype(np.int64))
    copies = NumberSketch.of(np.repeat(values, weights).astype(np.float64))
    assert found.rows == copies.rows == weights.sum()
    assert found.distribution().values.tolist() == copies.distribution().values.tolist()
    assert found.distribution().weights.tolist() == copies.distribution().weights.tolist()


@pytest.mark.parametrize("weighing", ["ten", "one or a hundred", "any", "a million"])
def test_ranks_of_weighted_numbers_lie_within_the_error_that_the_sketch_states(weighing: str) -> None:
    worst = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=4_000)
        weights = {
            "ten": np.full(4_000, 10),
            "one or a hundred": rng.choice([1, 100], 4_000),
            "any": rng.integers(1, 1_000, 4_000),
            "a million": np.full(4_000, 999_983),
        }[weighing].astype(np.int64)
        found = NumberSketch.of(values, weights=weights).distribution()
        order = np.argsort(values)
        at = np.quantile(values, np.arange(1, 100) / 100)
        true = np.cumsum(weights[order])[np.searchsorted(values[order], at, side="right") - 1] / weights.sum()
        worst.append(np.abs(found.share_at_or_below(at) - true).max() / found.rank_error)
    assert np.mean(worst) < 0.75
    assert np.quantile(worst, 0.95) < 1.1


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", None, 3.5, float("nan")]), st.integers(1, 9)), min_size=1))
@pytest.mark.parametrize("kind", list(FeatureType))
def test_counts_of_a_weighted_column_are_those_of_its_copies(
    kind: FeatureType, pairs: list[tuple[object, int]]
) -> None:
    values, weights = [value for value, _ in pairs], np.array([weight for _, weight in pairs])
    copies = [value for value, weight in pairs for _ in range(weight)]
    feature = Feature(type=kind)
    found, expected = profile_column(values, feature, weights), profile_column(copies, feature)
    assert (found.rows, found.missing, found.invalid) == (expected.rows, expected.missing, expected.invalid)
    assert found.counts == expected.counts
    assert found.heaviest == weights.max()
    assert found.effective_rows == weights.sum() / weights.max()


def test_weighted_log_keeps_the_number_of_its_rows_beside_their_weight() -> None:
    weighted = [{**found, "weight": 10.0} for found in rows(60)]
    hours = [profile_rows(part, FEATURES, Task.BINARY) for part in (weighted[:40], weighted[40:], rows(30, 60))]
    whole = decode(encode(Profile.merged(hours)))
    assert (whole.rows, whole.total, whole.score.rows) == (90, 630, 630)
    assert whole.score.effective_rows == 63
    assert sum(whole.due.values()) == 90
    assert {found.get("weight") for found in whole.sample.rows} == {10, None}
    assert len(hours[0].sample.even_rows) == 40


def test_weight_one_changes_no_profile() -> None:
    plain, given_ = rows(150), [{**found, "weight": 1.0} for found in rows(150)]
    assert whole_weights(given_) is None
    parts = (exact_parts(profile_rows(found, FEATURES, Task.BINARY)) for found in (plain, given_))
    assert next(parts) == next(parts)


def test_scores_are_counted_under_the_decision_of_the_version() -> None:
    explored = row(1, decision=1, model_decision=0)
    found = profile_rows([explored], FEATURES, Task.BINARY)
    assert list(found.score_by_decision) == ["0"]
    assert found.decision is not None
    assert found.decision.counts == {"0": 1.0}
