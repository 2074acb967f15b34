import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.metrics import Task
from hindsight.config.review import ReviewStrategy
from hindsight.review.selection.uncertainty import uncertainty

LEAST_CONFIDENCE, MARGIN, ENTROPY = ReviewStrategy

THREE = {"low": 0.5, "middle": 0.4, "high": 0.1}


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (LEAST_CONFIDENCE, 0.75),
        (MARGIN, 0.9),
        (ENTROPY, -sum(p * math.log(p, 3) for p in THREE.values())),
    ],
)
def test_of_three_classes_each_strategy_is_its_formula(strategy: ReviewStrategy, expected: float) -> None:
    assert uncertainty(strategy, 0.5, THREE, Task.MULTICLASS) == pytest.approx(expected)


@pytest.mark.parametrize("strategy", ReviewStrategy)
def test_a_tie_is_wholly_uncertain_and_certainty_not_at_all(strategy: ReviewStrategy) -> None:
    assert uncertainty(strategy, 0.5, None, Task.BINARY) == 1
    assert uncertainty(strategy, 1.0, None, Task.BINARY) == uncertainty(strategy, 0.0, None, Task.BINARY) == 0
    assert uncertainty(strategy, 1 / 3, dict.fromkeys("abc", 1 / 3), Task.MULTICLASS) == 1
    assert uncertainty(strategy, 1.0, {"a": 1.0, "b": 0.0, "c": 0.0}, Task.MULTICLASS) == 0


@pytest.mark.parametrize("strategy", ReviewStrategy)
def test_without_probabilities_a_decided_class_stands_against_the_rest(strategy: ReviewStrategy) -> None:
    alone = uncertainty(strategy, 0.8, None, Task.MULTICLASS)
    assert alone == uncertainty(strategy, 0.8, None, Task.BINARY)
    # A decided class below one half is likelier than any other, not than all.
    assert uncertainty(strategy, 0.3, None, Task.MULTICLASS) == 1


def test_a_regression_s_predictions_are_all_alike() -> None:
    assert {uncertainty(MARGIN, score, None, Task.REGRESSION) for score in (-3.0, 0.5, 1e9)} == {1}


@given(score=st.floats(0, 1), other=st.floats(0, 1))
def test_of_two_classes_all_strategies_order_alike(score: float, other: float) -> None:
    margin = uncertainty(MARGIN, score, None, Task.BINARY) - uncertainty(MARGIN, other, None, Task.BINARY)
    entropy = uncertainty(ENTROPY, score, None, Task.BINARY) - uncertainty(ENTROPY, other, None, Task.BINARY)
    assert margin * entropy >= 0
    assert uncertainty(LEAST_CONFIDENCE, score, None, Task.BINARY) == pytest.approx(
        uncertainty(MARGIN, score, None, Task.BINARY)
    )


@given(
    strategy=st.sampled_from(ReviewStrategy),
    task=st.sampled_from(Task),
    score=st.floats(0, 1),
    chances=st.none() | st.dictionaries(st.text(max_size=2), st.floats(0, 1), max_size=5),
)
def test_uncertainty_lies_from_0_to_1_for_any_prediction(
    strategy: ReviewStrategy, task: Task, score: float, chances: dict[str, float] | None
) -> None:
    assert 0 <= uncertainty(strategy, score, chances, task) <= 1
