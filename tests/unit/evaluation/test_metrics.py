import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.evaluation import influence, metrics
from hindsight.evaluation.metrics import as_targets, evaluate
from hindsight.evaluation.sequential.observation import scale_of

PAGE = Path(__file__).parents[3] / "docs/performance.md"
# R² is no mean over labels: each check judges it by its bounds (docs/statistics.md).
JUDGED_BY_BOUNDS = {Metric.R2}

_BINARY_REFERENCE = {
    Metric.ACCURACY: lambda y, d, s, w: sklearn_metrics.accuracy_score(y, d, sample_weight=w),
    Metric.BALANCED_ACCURACY: lambda y, d, s, w: sklearn_metrics.balanced_accuracy_score(y, d, sample_weight=w),
    Metric.F1: lambda y, d, s, w: sklearn_metrics.f1_score(y, d, sample_weight=w),
    Metric.PRECISION: lambda y, d, s, w: sklearn_metrics.precision_score(y, d, sample_weight=w),
    Metric.RECALL: lambda y, d, s, w: sklearn_metrics.recall_score(y, d, sample_weight=w),
    Metric.ROC_AUC: lambda y, d, s, w: sklearn_metrics.roc_auc_score(y, s, sample_weight=w),
    Metric.LOG_LOSS: lambda y, d, s, w: sklearn_metrics.log_loss(y, s, sample_weight=w, labels=[0, 1]),
    Metric.BRIER: lambda y, d, s, w: sklearn_metrics.brier_score_loss(y, s, sample_weight=w),
}
_REGRESSION_REFERENCE = {
    Metric.MAE: sklearn_metrics.mean_absolute_error,
    Metric.RMSE: sklearn_metrics.root_mean_squared_error,
    Metric.R2: sklearn_metrics.r2_score,
}


def test_every_metric_has_all_that_monitoring_the_gate_and_rollouts_ask_of_it() -> None:
    every = set(Metric)
    assert every == set(metrics._MEASURES), "compute it in _MEASURES of shared/hindsight/evaluation/metrics.py"
    assert every - {Metric.ROC_AUC} == set(influence._TERMS) | set(metrics._LOSSES), (
        "without bounds no check of performance could be made: give it the terms of a ratio in _TERMS of "
        "shared/hindsight/evaluation/influence.py, or a loss of each row in _LOSSES of evaluation/metrics.py"
    )
    assert every == set(_BINARY_REFERENCE) | set(_REGRESSION_REFERENCE), "hold it against scikit-learn, here"
    assert every - JUDGED_BY_BOUNDS == {metric for metric in every if has_scale(metric)}, (
        "give it what a label is worth in shared/hindsight/evaluation/sequential/observation.py (and in _ON_OTHER_ROWS "
        "of rollout/evaluation/comparison.py if decisions choose the rows), or list it in JUDGED_BY_BOUNDS, here"
    )


def has_scale(metric: Metric) -> bool:
    """Judge whether the anytime-valid test knows the metric for any task."""
    return any(scale_of(metric, task, null=0.5, limit=limit) for task in metric.tasks for limit in (0.5, 0.6))


def test_page_of_performance_lists_the_metrics_of_every_task() -> None:
    for task in Task:
        (row,) = re.findall(rf"^\| {task} \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        listed = row.lower().replace("²", "2").replace(" ", "_")
        missing = [metric.value for metric in METRICS_BY_TASK[task] if metric.value not in listed]
        assert not missing, f"docs/performance.md, the row of {task}"


@pytest.mark.parametrize("metric", sorted(_BINARY_REFERENCE))
@given(seed=st.integers(0, 10_000), weighted=st.booleans())
@settings(max_examples=20, deadline=None)
def test_binary_metric_agrees_with_scikit_learn(metric: Metric, seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([[0.0, 1.0], rng.integers(0, 2, 60).astype(float)])
    scores = np.round(rng.uniform(0.01, 0.99, 62), 1).clip(0.05, 0.95)
    scores[1] = 0.95
    decisions = (scores >= 0.5).astype(float)
    weights = rng.integers(1, 4, 62).astype(float) if weighted else None
    expected = _BINARY_REFERENCE[metric](labels, decisions, scores, weights)
    found = evaluate(metric, Task.BINARY, labels, decisions, scores, weights=weights)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", sorted(_REGRESSION_REFERENCE))
def test_regression_metric_agrees_with_scikit_learn(metric: Metric) -> None:
    rng = np.random.default_rng(1)
    labels, predicted, weights = rng.normal(size=50), rng.normal(size=50), rng.uniform(0.1, 2, 50)
    expected = _REGRESSION_REFERENCE[metric](labels, predicted, sample_weight=weights)
    assert evaluate(metric, Task.REGRESSION, labels, predicted, predicted, weights=weights) == pytest.approx(expected)


def test_multiclass_metrics_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    classes = ["a", "b", "c"]
    labels, decisions = rng.choice(classes, 80), rng.choice(classes, 80)
    probabilities = rng.dirichlet(np.ones(3), 80)
    scores = probabilities.max(axis=1)

    def found(metric: Metric) -> float | None:
        return evaluate(
            metric, Task.MULTICLASS, labels, decisions, scores, probabilities=probabilities, classes=classes
        )

    assert found(Metric.ACCURACY) == pytest.approx(sklearn_metrics.accuracy_score(labels, decisions))
    assert found(Metric.BALANCED_ACCURACY) == pytest.approx(sklearn_metrics.balanced_accuracy_score(labels, decisions))
    assert found(Metric.F1) == pytest.approx(sklearn_metrics.f1_score(labels, decisions, average="macro"))
    assert found(Metric.LOG_LOSS) == pytest.approx(sklearn_metrics.log_loss(labels, probabilities, labels=classes))


def test_counts_as_weights_equal_the_resample() -> None:
    rng = np.random.default_rng(3)
    labels, scores = rng.integers(0, 2, 40).astype(float), rng.uniform(size=40)
    decisions = (scores > 0.5).astype(float)
    drawn = rng.integers(0, 40, 40)
    counts = np.bincount(drawn, minlength=40)
    for metric in METRICS_BY_TASK[Task.BINARY]:
        weighted = evaluate(metric, Task.BINARY, labels, decisions, scores, weights=counts)
        assert weighted == pytest.approx(
            evaluate(metric, Task.BINARY, labels[drawn], decisions[drawn], scores[drawn]), abs=1e-12
        )


@pytest.mark.parametrize("task", list(Task))
def test_without_rows_every_metric_is_undefined(task: Task) -> None:
    nothing = as_targets([], task)
    for metric in METRICS_BY_TASK[task]:
        assert evaluate(metric, task, nothing, nothing, np.array([])) is None


@pytest.mark.parametrize("task", [Task.BINARY, Task.REGRESSION])
def test_nan_makes_a_metric_undefined_and_raises_no_warning(task: Task) -> None:
    labels, broken = np.array([1.0, 0.0, 1.0]), np.array([1.0, np.nan, 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for metric in METRICS_BY_TASK[task]:
            assert evaluate(metric, task, labels, broken, broken) is None
            assert evaluate(metric, task, broken, labels, labels) is None


@pytest.mark.parametrize("metric", [Metric.ROC_AUC, Metric.BALANCED_ACCURACY, Metric.RECALL, Metric.PRECISION])
def test_metric_of_two_classes_is_undefined_on_negatives_alone(metric: Metric) -> None:
    labels = np.zeros(3)
    assert evaluate(metric, Task.BINARY, labels, labels, np.array([0.1, 0.2, 0.3])) is None


def test_r2_of_constant_labels_is_undefined() -> None:
    labels = np.ones(3)
    assert evaluate(Metric.R2, Task.REGRESSION, labels, np.array([0.0, 1.0, 2.0]), labels) is None


def test_class_unknown_to_the_model_has_the_largest_loss() -> None:
    probabilities = np.array([[1.0, 0.0]])
    labels, decisions = np.array(["new"]), np.array(["a"])
    loss = evaluate(
        Metric.LOG_LOSS,
        Task.MULTICLASS,
        labels,
        decisions,
        np.array([1.0]),
        probabilities=probabilities,
        classes=["a", "b"],
    )
    assert loss == pytest.approx(-np.log(1e-15))


def test_metric_of_another_task_is_rejected() -> None:
    with pytest.raises(ValueError, match="does not measure"):
        evaluate(Metric.MAE, Task.BINARY, np.ones(1), np.ones(1), np.ones(1))
