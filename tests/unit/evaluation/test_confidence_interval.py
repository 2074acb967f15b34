"""Bounds of every metric: what they hold, with and without weights, and on next to nothing."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.evaluation.confidence_interval import estimate
from hindsight.evaluation.influence import measure_influence
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.weighted_estimate import weighted_estimate

EVERY_METRIC = [(task, metric) for task in Task for metric in sorted(METRICS_BY_TASK[task])]
CLASSES = ("a", "b", "c")


def draw(task: Task, rows: int, rng: np.random.Generator) -> LabelledPredictions:
    signal = rng.normal(size=rows)
    if task is Task.REGRESSION:
        predicted = signal * 2
        return LabelledPredictions(task, predicted + rng.normal(size=rows), predicted, predicted)
    if task is Task.BINARY:
        scores = 1 / (1 + np.exp(-2 * signal))
        labels = (rng.uniform(size=rows) < 1 / (1 + np.exp(-1.5 * signal))).astype(float)
        return LabelledPredictions(task, labels, (scores >= 0.5).astype(float), scores)
    chances = rng.dirichlet(np.array([2.0, 1.0, 1.0]), rows)
    labels = np.array(CLASSES)[(rng.uniform(size=(rows, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)]
    decisions = np.array(CLASSES)[chances.argmax(axis=1)]
    return LabelledPredictions(task, labels, decisions, chances.max(axis=1), probabilities=chances, classes=CLASSES)


@pytest.mark.parametrize(("task", "metric"), EVERY_METRIC)
def test_bounds_hold_about_at_their_confidence(task: Task, metric: Metric) -> None:
    rng = np.random.default_rng(5)
    truth = draw(task, 300_000, rng).measure(metric)
    assert truth is not None
    found = [estimate(draw(task, 250, rng), metric, 0.95) for _ in range(300)]
    lower = np.mean([one.lower is not None and one.lower <= truth for one in found])
    upper = np.mean([one.upper is not None and one.upper >= truth for one in found])
    assert lower >= 0.92
    assert upper >= 0.915


@pytest.mark.parametrize("confidence", [0.001, 0.3, 0.5])
@pytest.mark.parametrize(("task", "metric"), EVERY_METRIC)
def test_bounds_of_little_confidence_do_not_change_places(task: Task, metric: Metric, confidence: float) -> None:
    found = estimate(draw(task, 250, np.random.default_rng(4)), metric, confidence)
    assert found.value is not None
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower <= found.value <= found.upper


@pytest.mark.parametrize(("task", "metric"), EVERY_METRIC)
def test_influence_variance_equals_that_of_resamples(task: Task, metric: Metric) -> None:
    rng = np.random.default_rng(6)
    rows = draw(task, 2_000, rng)
    weighted = LabelledPredictions(
        task,
        rows.labels,
        rows.decisions,
        rows.scores,
        rng.choice([1.0, 4.0], 2_000),
        probabilities=rows.probabilities,
        classes=rows.classes,
    )
    resampled = [weighted.at(rng.integers(2_000, size=2_000)).measure(metric) for _ in range(400)]
    assert np.sqrt(measure_influence(metric, weighted).variance) == pytest.approx(np.std(resampled), rel=0.15)


@pytest.mark.parametrize(("task", "metric"), EVERY_METRIC)
def test_row_counted_three_times_is_three_rows(task: Task, metric: Metric) -> None:
    rng = np.random.default_rng(7)
    rows = draw(task, 60, rng)
    counted = LabelledPredictions(
        task,
        rows.labels,
        rows.decisions,
        rows.scores,
        row_counts=np.full(60, 3.0),
        probabilities=rows.probabilities,
        classes=rows.classes,
    )
    repeated = rows.at(np.repeat(np.arange(60), 3))
    expected, found = estimate(repeated, metric, 0.9), estimate(counted, metric, 0.9)
    assert (found.value, found.lower, found.upper) == pytest.approx((expected.value, expected.lower, expected.upper))
    assert found.effective_rows == pytest.approx(180)


@given(
    hits=st.lists(st.booleans(), min_size=1, max_size=30),
    probabilities=st.lists(st.floats(1e-3, 1.0), min_size=30, max_size=30),
)
def test_accuracy_has_the_interval_of_a_weighted_share(hits: list[bool], probabilities: list[float]) -> None:
    labels, ones = np.array(hits, dtype=float), np.ones(len(hits))
    chances = np.array(probabilities[: len(hits)])
    found = estimate(LabelledPredictions(Task.BINARY, labels, ones, ones, 1 / chances), Metric.ACCURACY, 0.95)
    expected = weighted_estimate(labels, chances, 0.9)  # its two tails together
    assert (found.value, found.lower, found.upper) == pytest.approx(
        (expected.value, expected.lower, expected.upper), abs=1e-6
    )


@pytest.mark.parametrize(("task", "metric"), EVERY_METRIC)
@given(
    rows=st.integers(0, 5),
    seed=st.integers(0, 50),
    scale=st.sampled_from([0.0, 1e-300, 1.0, 1e150, 1.7e308]),
)
@settings(max_examples=25, deadline=None)
def test_very_few_rows_give_bounds_or_none_and_no_error(
    task: Task, metric: Metric, rows: int, seed: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    drawn = draw(task, rows, rng)
    if task is Task.REGRESSION:
        drawn = LabelledPredictions(task, np.clip(drawn.labels, -1, 1) * scale, drawn.decisions, drawn.scores)
    elif scale < 1 and rows:
        drawn = LabelledPredictions(task, np.repeat(drawn.labels[:1], rows), drawn.decisions, drawn.scores)
    weighted = LabelledPredictions(task, drawn.labels, drawn.decisions, drawn.scores, rng.choice([1.0, 1e3, 1e9], rows))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = estimate(weighted, metric, 0.95)
    json.dumps([found.value, found.lower, found.upper], allow_nan=False)
    if found.lower is not None and found.upper is not None and found.value is not None:
        assert found.lower <= found.value <= found.upper


@pytest.mark.parametrize("metric", [Metric.ACCURACY, Metric.F1, Metric.ROC_AUC, Metric.BALANCED_ACCURACY])
def test_few_rows_without_error_have_wide_bounds(metric: Metric) -> None:
    labels = np.array([1.0, 0.0] * 10)
    found = estimate(LabelledPredictions(Task.BINARY, labels, labels, labels), metric, 0.95)
    assert (found.value, found.upper) == (1.0, 1.0)
    assert found.lower is not None
    assert 0.5 < found.lower < 0.9


def test_score_without_hits_has_wide_bounds() -> None:
    labels = np.array([1.0] * 3 + [0.0] * 200)
    found = estimate(LabelledPredictions(Task.BINARY, labels, np.zeros(203), labels * 0.3), Metric.F1, 0.95)
    assert found.value == 0.0
    assert found.upper is not None
    assert found.upper > 0.3
