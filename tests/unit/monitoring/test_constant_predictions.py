"""A champion that gives one answer to everything, or none, is named without a label."""

from typing import Any

import pytest

from hindsight.config.metrics import Task
from hindsight.monitoring.drift.constant_predictions import find_constant_predictions
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.build import profile_rows
from hindsight.profiles.profile import Profile
from tests.unit.monitoring.windows import drift_of, rows, rules


def answered(decisions: list[Any], scores: list[float] | None = None, task: Task = Task.BINARY) -> Profile:
    given = rows(len(decisions), seed=3)
    for number, row in enumerate(given):
        row["decision"] = decisions[number]
        row["score"] = row["score"] if scores is None else scores[number]
    return profile_rows(given, rules().features, task)


HOLDOUT = answered([0] * 900 + [1] * 100)


@pytest.mark.parametrize("answer", [0, 1])
def test_one_decision_to_everything_is_drift_by_name(answer: int) -> None:
    found = drift_of(answered([answer] * 600), reference=HOLDOUT)
    assert found.verdict is Verdict.DRIFT
    assert found.reason.startswith(f"the version answers {answer} to all 600 rows, as it did not on its holdout; ")
    assert found.summary()["constant"] == str(answer)


def test_one_score_to_everything_is_drift_by_name() -> None:
    found = drift_of(answered([0, 1] * 300, [0.25] * 600), reference=HOLDOUT)
    assert found.verdict is Verdict.DRIFT
    assert "the version answers the score 0.25 to all 600 rows" in found.reason


def test_one_number_of_a_regression_is_found() -> None:
    several = answered([0.0] * 500, [float(number) for number in range(500)], Task.REGRESSION)
    same = answered([7.0] * 500, [7.0] * 500, Task.REGRESSION)
    found = find_constant_predictions(several, same)
    assert found is not None
    assert found.p_value < 1e-300
    assert find_constant_predictions(same, same) is None


def test_a_class_of_many_is_found() -> None:
    several = answered(["a", "b", "c"] * 200, task=Task.MULTICLASS)
    found = find_constant_predictions(several, answered(["b"] * 500, task=Task.MULTICLASS))
    assert found is not None
    assert found.answer == "b"


def test_the_answer_that_the_holdout_had_nearly_always_is_no_finding() -> None:
    found = drift_of(answered([0] * 600), reference=answered([0] * 997 + [1] * 3))
    assert found.verdict is Verdict.OK
    assert found.constant is None


def test_few_rows_are_no_finding() -> None:
    found = drift_of(answered([1] * 20), reference=HOLDOUT)
    assert found.verdict is Verdict.INSUFFICIENT
    assert found.constant is None


def test_both_answers_are_no_finding() -> None:
    assert find_constant_predictions(HOLDOUT, answered([0] * 599 + [1])) is None


def test_champion_without_predictions_is_named() -> None:
    assert "the version made no prediction in this window" in drift_of(Profile.empty(), reference=HOLDOUT).reason


def test_probability_of_one_answer_by_chance_is_that_of_independent_rows() -> None:
    found = find_constant_predictions(HOLDOUT, answered([0] * 50))
    assert found is not None
    assert found.p_value == pytest.approx(0.9**50)
    assert found.rows == 50
