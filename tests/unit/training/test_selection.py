"""Weights, recalibration and thresholds: what they change, and that scores stay probabilities."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.metrics import Metric, Task
from hindsight.config.training import Candidate, Training
from hindsight.core.times import microseconds
from hindsight.monitoring.estimation.estimator import ScoreCalibration
from hindsight.registry.schema import Schema
from hindsight.training.fitting.labelled_frame import LabelledFrame, Moments
from hindsight.training.fitting.paired_losses import Truth
from hindsight.training.fitting.pipeline_spec import PipelineSpec
from hindsight.training.fitting.recalibration import find_recalibration
from hindsight.training.fitting.selection import Selection, select
from hindsight.training.fitting.validation_split import ValidationSplit
from hindsight.training.fitting.weighting import class_weights, row_weights
from hindsight.training.models.artifact import dump_artifact, parse_artifact
from hindsight.training.models.probabilities import Recalibration
from tests.unit.training.test_candidates import schema
from tests.unit.training.trainings import part
from tests.unit.training.world import START

LOGISTIC = Candidate.LOGISTIC_REGRESSION


def rare(count: int, share: float = 0.1, noise: float = 0.8, seed: int = 0) -> LabelledFrame:
    """Rows of which so many are positive."""
    rows = part(count, "regression", seed=seed, noise=noise)
    return replace(rows, labels=(rows.labels > np.quantile(rows.labels, 1 - share)).astype(np.float64))


def judged_by(metric: Metric) -> Schema:
    return replace(schema(Task.BINARY), metric=metric)


def select_on_split(rows: LabelledFrame, training: Training, metric: Metric = Metric.ACCURACY) -> Selection:
    split = ValidationSplit.of(rows, training)
    assert split is not None
    return select(PipelineSpec(LOGISTIC, judged_by(metric), training, {}), split)


@pytest.mark.parametrize("candidate", [LOGISTIC, Candidate.GRADIENT_BOOSTING])
def test_balanced_classes_leave_scores_that_are_probabilities(candidate: Candidate) -> None:
    rows, later = rare(4_000), rare(4_000, seed=1)
    spec = PipelineSpec(candidate, schema(Task.BINARY), Training(class_weight="balanced"), {})

    version = spec.train(rows)
    weighted = version.pipeline.predict_proba(later.frame)[:, 1]

    assert weighted.mean() > 0.18  # what the estimator says by itself is far off
    assert version.predict(later.frame).scores.mean() == pytest.approx(0.1, abs=0.02)


def test_balanced_classes_of_many_are_undone_too() -> None:
    rows = part(3_000, "multiclass")
    kept = np.flatnonzero((rows.labels != "high") | (np.arange(3_000) % 8 == 0))
    few = rows.at(kept.tolist())
    version = PipelineSpec(LOGISTIC, schema(Task.MULTICLASS), Training(class_weight="balanced"), {}).train(few)

    said = version.chances(few.frame).mean(axis=0)

    assert said == pytest.approx([np.mean(few.labels == name) for name in version.schema.classes], abs=0.03)


def test_recalibration_is_found_where_scores_are_too_sure_and_saved_with_the_version() -> None:
    rng = np.random.default_rng(5)
    truth_is = rng.uniform(0.05, 0.95, size=3_000)
    labels = (rng.uniform(size=3_000) < truth_is).astype(np.float64)
    odds = np.log(truth_is / (1 - truth_is))
    sure = 1 / (1 + np.exp(-3 * odds - 0.5))
    truth = Truth(labels, np.ones(3_000))

    found = find_recalibration(np.column_stack([1 - sure, sure]), truth, schema(Task.BINARY))

    assert found is not None
    said = found.apply(np.column_stack([1 - sure, sure]))[:, 1]
    assert np.abs(said - truth_is).mean() < 0.03
    version = PipelineSpec(LOGISTIC, schema(Task.BINARY), Training(), {}).train(part(300))
    recalibrated = Selection(found, threshold=0.3).apply(version)
    loaded = parse_artifact(dump_artifact(recalibrated))
    assert loaded.recalibration == found
    assert loaded.schema.threshold == 0.3
    rows = [{"temperature": 0.1, "hour": 7}]
    assert loaded.score(rows) == recalibrated.score(rows) != version.score(rows)


def test_many_classes_are_recalibrated_by_a_temperature() -> None:
    rng = np.random.default_rng(6)
    logits = rng.normal(size=(2_000, 3)) * 1.5
    truth_is = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = np.array(schema(Task.MULTICLASS).classes)
    labels = names[[int(rng.choice(3, p=row)) for row in truth_is]]
    sure = np.exp(4 * logits) / np.exp(4 * logits).sum(axis=1, keepdims=True)

    found = find_recalibration(sure, Truth(labels, np.ones(2_000)), schema(Task.MULTICLASS))

    assert found is not None
    assert found.slope == pytest.approx(0.25, abs=0.05)


def test_a_bend_that_no_scaling_straightens_is_straightened_by_lines() -> None:
    rng = np.random.default_rng(7)
    scores = rng.uniform(0.01, 0.99, size=6_000)
    truth_is = np.where(scores < 0.5, 0.1, np.where(scores < 0.8, 0.6, 0.65))
    labels = (rng.uniform(size=6_000) < truth_is).astype(np.float64)

    found = find_recalibration(
        np.column_stack([1 - scores, scores]), Truth(labels, np.ones(6_000)), schema(Task.BINARY)
    )

    assert found is not None
    assert found.lines is not None
    assert 0 < min(found.lines.probabilities) < max(found.lines.probabilities) < 1


@pytest.mark.parametrize("count", [150, 3_000])
def test_scores_that_are_right_and_rows_that_are_few_are_left_alone(count: int) -> None:
    rng = np.random.default_rng(8)
    said = rng.uniform(0.05, 0.95, size=count)
    labels = (rng.uniform(size=count) < said).astype(np.float64)

    truth = Truth(labels, np.ones(count))

    assert find_recalibration(np.column_stack([1 - said, said]), truth, schema(Task.BINARY)) is None


@given(
    st.lists(st.floats(1e-6, 1 - 1e-6), min_size=2, max_size=20, unique=True),
    st.floats(0.1, 5),
    st.floats(-3, 3),
    st.floats(0.1, 5),
    st.floats(-3, 3),
)
def test_recalibrations_keep_the_order_sum_to_one_and_follow_one_another(
    scores: list[float], slope: float, shift: float, second_slope: float, second_shift: float
) -> None:
    chances = np.column_stack([1 - np.array(scores), np.array(scores)])
    first, second = Recalibration(slope, (0.0, shift)), Recalibration(second_slope, (0.0, second_shift))

    both = first.then(second).apply(chances)

    assert both == pytest.approx(second.apply(first.apply(chances)), abs=1e-6)
    assert both.sum(axis=1) == pytest.approx(np.ones(len(scores)))
    order = np.argsort(scores)
    assert (np.diff(both[order, 1]) >= -1e-12).all()


def test_a_class_without_a_chance_stays_without_one() -> None:
    applied = Recalibration(0.5, (0.0, 1.0, 2.0)).apply(np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]))

    assert applied[0, 2] == applied[1, 0] == 0.0
    assert applied[1, 2] == 1.0


def test_a_recalibration_is_the_same_after_json() -> None:
    lines = ScoreCalibration((0.1, 0.9), (0.2, 0.7))
    for one in (Recalibration(0.5, (0.0, 0.25)), Recalibration(1.0, (0.0, 0.0), lines)):
        assert Recalibration.from_json(one.to_json()) == one


def test_the_best_threshold_of_a_rare_class_lies_below_one_half_and_decides() -> None:
    rows = rare(4_000, share=0.08, noise=1.5)

    fixed = select_on_split(rows, Training(), Metric.F1)
    best = select_on_split(rows, Training(threshold="best"), Metric.F1)

    assert fixed.threshold == 0.5
    assert 0.1 < best.threshold < 0.5
    assert (best.validation_score or 0) > (fixed.validation_score or 0) + 0.05
    version = best.apply(PipelineSpec(LOGISTIC, judged_by(Metric.F1), Training(), {}).train(rows))
    answers = version.predict(rows.frame)
    assert (answers.decisions == (answers.scores >= best.threshold)).all()


def test_a_threshold_that_is_given_is_kept() -> None:
    assert select_on_split(part(600), Training(threshold=0.7)).threshold == 0.7


def test_validation_split_is_the_holdout_share_of_the_train_part_and_never_trained_on() -> None:
    split = ValidationSplit.of(part(500), Training(holdout=0.2))

    assert split is not None
    boundary = split.later.moments.occurred[0]
    assert len(split.later.labels) == 100
    assert (split.earlier.moments.due <= boundary).all()
    assert ValidationSplit.of(replace(part(100), labels=np.zeros(100)), Training()) is None


def test_old_rows_lose_half_their_weight_each_half_life() -> None:
    rows = part(3)
    moments = np.array([microseconds(START.replace(day=day)) for day in (1, 11, 21)])
    aged = replace(rows, moments=Moments(moments, moments))

    weights = row_weights(aged, Training.model_validate_json('{"recency_half_life": "P10D"}'))

    assert (weights / weights[-1]).tolist() == pytest.approx([0.25, 0.5, 1.0])
    assert weights.mean() == pytest.approx(1.0)


def test_reviewed_rows_have_their_weights_in_training() -> None:
    """Half of the rows say the opposite; by their weights they stand for almost no prediction."""
    rows, against = part(600, seed=1), part(600, seed=2)
    mixed = replace(
        rows,
        frame=rows.frame.iloc[np.arange(600) % 300].reset_index(drop=True),
        labels=np.concatenate([rows.labels[:300], 1 - rows.labels[:300]]),
        weights=np.concatenate([np.full(300, 50.0), np.ones(300)]),
    )
    spec = PipelineSpec(LOGISTIC, schema(Task.BINARY), Training(), {})

    weighted, plain = spec.train(mixed), spec.train(replace(mixed, weights=np.ones(600)))

    assert (weighted.predict(against.frame).measure(Metric.ACCURACY, against.labels) or 0) > 0.85
    assert (plain.predict(against.frame).measure(Metric.ACCURACY, against.labels) or 0) < 0.7


def test_equal_weights_train_the_same_bytes_as_none() -> None:
    spec = PipelineSpec(Candidate.GRADIENT_BOOSTING, schema(Task.BINARY), Training(), {})
    rows = part(300)

    assert dump_artifact(spec.train(rows)) == dump_artifact(spec.train(replace(rows, weights=np.full(300, 7.0))))


def test_classes_have_equal_total_weight_for_any_row_weights() -> None:
    codes, weights = np.array([0, 0, 0, 2]), np.array([1.0, 1.0, 2.0, 4.0])

    found = class_weights(codes, weights, 3)

    assert np.bincount(codes, weights * found[codes]).tolist() == pytest.approx([4.0, 0.0, 4.0])
    assert found[1] == 1.0
