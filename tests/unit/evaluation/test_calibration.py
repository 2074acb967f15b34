"""Scores against the shares that turned out as scored."""

import numpy as np
import pytest

from hindsight.config.metrics import Task
from hindsight.evaluation.calibration import Calibration, calibration
from hindsight.evaluation.labelled_predictions import LabelledPredictions


def answers(rows: int, overconfidence: float, rng: np.random.Generator) -> LabelledPredictions:
    signal = 1.5 * rng.normal(size=rows)
    scores = 1 / (1 + np.exp(-signal))
    labels = (rng.uniform(size=rows) < 1 / (1 + np.exp(-signal / overconfidence))).astype(float)
    return LabelledPredictions(Task.BINARY, labels, (scores >= 0.5).astype(float), scores)


def measured(rows: LabelledPredictions) -> Calibration:
    found = calibration(rows, 0.95)
    assert found is not None
    return found


def test_calibrated_model_has_an_error_of_chance_alone() -> None:
    rng = np.random.default_rng(1)
    found = [measured(answers(500, 1.0, rng)) for _ in range(200)]
    assert np.mean([one.error for one in found]) == pytest.approx(np.mean([one.by_chance for one in found]), rel=0.05)
    assert np.mean([one.lower == 0 for one in found]) > 0.92


def test_bounds_of_the_calibration_error_contain_it() -> None:
    rng = np.random.default_rng(2)
    truth = measured(answers(1_000_000, 2.0, rng)).error
    found = [measured(answers(1_000, 2.0, rng)) for _ in range(200)]
    assert np.mean([one.lower <= truth for one in found]) > 0.88
    assert np.mean([one.upper >= truth for one in found]) > 0.88
    assert np.mean([one.error for one in found]) > truth  # by the common formula it is too large


def test_ten_bins_hold_score_and_share() -> None:
    found = measured(answers(20_000, 2.0, np.random.default_rng(3)))
    assert len(found.bins) == 10
    assert sum(one.labels for one in found.bins) == 20_000
    assert [one.score for one in found.bins] == sorted(one.score for one in found.bins)
    assert found.bins[0].observed > found.bins[0].score  # surer than it should be
    assert found.bins[-1].observed < found.bins[-1].score
    assert all(one.lower <= one.observed <= one.upper for one in found.bins)


def test_reviewed_row_counts_by_its_weight() -> None:
    labels, scores = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    rows = LabelledPredictions(Task.BINARY, labels, np.ones(2), scores, np.array([9.0, 1.0]))
    (only,) = measured(rows).bins
    assert (only.observed, only.score) == pytest.approx((0.9, 0.5))


def test_multiclass_score_is_that_of_the_decision() -> None:
    labels, decisions = np.array(["a", "b", "a", "c"]), np.array(["a", "a", "a", "a"])
    (only,) = measured(LabelledPredictions(Task.MULTICLASS, labels, decisions, np.full(4, 0.9))).bins
    assert (only.observed, only.score) == pytest.approx((0.5, 0.9))


@pytest.mark.parametrize("scores", [[1.2, 0.5], [-0.1, 0.5], [np.nan, 0.5], []])
def test_scores_that_are_no_probabilities_have_no_calibration(scores: list[float]) -> None:
    nothing = np.zeros(len(scores))
    assert calibration(LabelledPredictions(Task.BINARY, nothing, nothing, np.array(scores)), 0.95) is None


@pytest.mark.parametrize("score", [0.0, 1.0, 0.5])
def test_one_row_and_sure_scores_give_bounds(score: float) -> None:
    found = measured(LabelledPredictions(Task.BINARY, np.array([1.0]), np.array([1.0]), np.array([score])))
    assert 0 <= found.lower <= found.upper <= 1
    assert np.isfinite([found.error, found.by_chance]).all()
