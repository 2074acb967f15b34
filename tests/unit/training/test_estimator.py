"""Estimators fitted to a holdout, and their storage with the version."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Metric, Task
from hindsight.config.parse import parse_configuration
from hindsight.core.codec import to_plain
from hindsight.core.errors import UnreadableObject, UnusableArtifact
from hindsight.lake.object_store import version_prefix
from hindsight.monitoring.estimation.estimated_performance import check_estimate
from hindsight.monitoring.estimation.estimator import Estimator
from hindsight.monitoring.estimation.reconciliation import reconcile
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.build import profile_rows
from hindsight.registry.schema import Schema
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.training.estimators.estimator_files import ESTIMATOR, load_estimator, store_estimator
from hindsight.training.estimators.performance_estimator import FittedEstimator, fit_estimator
from hindsight.training.fitting.calibration import fit_calibration, needs_calibration
from hindsight.training.models.frame import to_frame
from hindsight.training.models.scoring import Predictions
from tests.unit.monitoring.estimates import configured

FEATURES = {"x": FeatureType.NUMERIC, "kind": FeatureType.CATEGORICAL}
REGRESSION = parse_configuration(
    {
        "model": "demand",
        "task": "regression",
        "features": {"x": {"type": "numeric"}, "kind": {"type": "categorical"}},
        "labels": {"rules": [{"event": "outcome"}]},
        "monitoring": {"performance": {"max": 1.0}, "min_rows": 200},
    }
)


def scores_and_hits(rows: int, seed: int, sureness: float = 1.0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    signal = 2 * rng.normal(size=rows)
    hits = (rng.uniform(size=rows) < 1 / (1 + np.exp(-signal))).astype(float)
    return 1 / (1 + np.exp(-sureness * signal)), hits


def test_calibration_agrees_with_isotonic_regression() -> None:
    from sklearn.isotonic import IsotonicRegression

    scores, hits = scores_and_hits(3_000, 1)
    found = fit_calibration(scores, hits)
    grid = np.linspace(-0.2, 1.2, 500)
    expected = IsotonicRegression(out_of_bounds="clip").fit(scores, hits).predict(grid)
    assert found.apply(grid) == pytest.approx(expected, abs=1e-12)
    assert len(found.scores) < 300


def test_calibration_is_needed_where_it_helps_unseen_rows() -> None:
    assert all(needs_calibration(*scores_and_hits(2_000, seed, sureness=2.0), seed=7) for seed in range(8))
    # Of scores that are probabilities already, chance decides, and it makes no difference.
    calibrated = [needs_calibration(*scores_and_hits(2_000, seed), seed=7) for seed in range(8)]
    assert not all(calibrated)


@pytest.mark.parametrize("hits", [[1.0] * 100, [0.0] * 99 + [1.0], [1.0, 0.0] * 5, []])
def test_too_little_to_calibrate_on_leaves_scores_alone(hits: list[float]) -> None:
    assert not needs_calibration(np.linspace(0, 1, len(hits)), np.array(hits), seed=7)


def test_scores_that_separate_the_classes_are_left_alone() -> None:
    assert not needs_calibration(np.linspace(0, 1, 200), np.repeat([0.0, 1.0], 100), seed=7)


def test_the_same_holdout_teaches_the_same() -> None:
    first, again = (binary(500, 4) for _ in range(2))
    assert first == again


def binary(rows: int, seed: int) -> Estimator:
    scores, hits = scores_and_hits(rows, seed, sureness=2.0)
    schema = Schema(model="demand", version="v1", task=Task.BINARY, metric=Metric.ACCURACY, features={})
    fitted = fit_estimator(
        schema,
        pd.DataFrame(index=range(rows)),
        hits,
        Predictions(Task.BINARY, (scores >= 0.5).astype(float), scores),
        7,
    )
    assert fitted is not None
    return fitted.estimator


@pytest.mark.parametrize("seed", range(3))
def test_the_holdout_s_error_is_about_that_of_other_holdouts(seed: int) -> None:
    accuracies = [binary(1_000, 100 + seed * 30 + n).metrics[Metric.ACCURACY].estimated for n in range(30)]
    estimated = binary(1_000, 10 + seed).metrics[Metric.ACCURACY].standard_error
    assert 0.5 < estimated / float(np.std(accuracies)) < 2


@pytest.mark.parametrize("labels", [[], [np.nan] * 30, [1.0] * 30, [0.0, 1.0]])
def test_a_holdout_of_nothing_or_one_class_is_no_error(labels: list[float]) -> None:
    schema = Schema(model="demand", version="v1", task=Task.BINARY, metric=Metric.ACCURACY, features={})
    scores = np.full(len(labels), 0.7)
    fitted = fit_estimator(
        schema,
        pd.DataFrame(index=range(len(labels))),
        np.array(labels),
        Predictions(Task.BINARY, np.ones(len(labels)), scores),
        7,
    )
    assert (fitted is None) == (not np.isfinite(labels).any())
    if fitted is not None:
        json.dumps(to_plain(fitted.estimator), allow_nan=False)


def regression_rows(count: int, seed: int, hard: float = 0.5, noise: float = 1.0) -> list[dict[str, Any]]:
    """Errors that grow with x and are three times as large for one kind; ``hard`` is the share of that kind."""
    rng = np.random.default_rng(seed)
    x, is_hard = rng.uniform(0, 1, count), rng.uniform(size=count) < hard
    predicted = 3 * x
    errors = noise * rng.normal(size=count) * (0.2 + 0.5 * x) * np.where(is_hard, 3.0, 1.0)
    return [
        {
            "prediction_id": f"{seed}-{n}",
            "features": {"x": float(x[n]), "kind": "hard" if is_hard[n] else "easy"},
            "score": float(predicted[n]),
            "decision": float(predicted[n]),
            "value": float(predicted[n] + errors[n]),
            "model_version": "v1",
            "occurred_at": f"2026-03-{1 + n * 5 // count:02d}T00:00:00.000000Z",
        }
        for n in range(count)
    ]


def learned_regression(rows: list[dict[str, Any]], features: Mapping[str, FeatureType] = FEATURES) -> FittedEstimator:
    schema = Schema(model="demand", version="v1", task=Task.REGRESSION, metric=Metric.MAE, features=features)
    frame = to_frame([row["features"] for row in rows], features)
    predictions = np.array([row["score"] for row in rows])
    fitted = fit_estimator(
        schema,
        frame,
        np.array([row["value"] for row in rows]),
        Predictions(Task.REGRESSION, predictions, predictions),
        7,
    )
    assert fitted is not None
    return fitted


@pytest.fixture(scope="module")
def regression() -> FittedEstimator:
    return learned_regression(regression_rows(4_000, 1))


def realised(rows: list[dict[str, Any]]) -> dict[str, float]:
    errors = np.array([row["value"] - row["score"] for row in rows])
    return {"mae": float(np.abs(errors).mean()), "rmse": float(np.sqrt((errors**2).mean()))}


@pytest.mark.parametrize("hard", [0.1, 0.5, 0.9])
def test_a_regression_s_error_is_estimated_though_the_inputs_move(regression: FittedEstimator, hard: float) -> None:
    window = regression_rows(5_000, 2, hard=hard)
    profile = profile_rows(window, REGRESSION.features, REGRESSION.task, sample_capacity=2_000)
    found = check_estimate(
        profile, regression.estimator, REGRESSION, level=0.05, gate_value=None, losses=regression.loss_model
    )
    truth = realised(window)
    assert found.metrics is not None
    for metric, value in found.metrics.items():
        assert value.value == pytest.approx(truth[metric], rel=0.12)
    assert found.expected is not None
    assert found.expected.lower is not None
    assert found.expected.upper is not None
    assert found.expected.upper - found.expected.lower < 0.12
    assert found.rows == 5_000


def test_a_regression_s_error_that_must_have_grown_is_low(regression: FittedEstimator) -> None:
    limits = configured("regression", min_rows=200, max=0.8).model_copy(update={"features": REGRESSION.features})
    for hard, verdict in ((0.0, Verdict.OK), (1.0, Verdict.LOW)):
        window = regression_rows(3_000, 3, hard=hard)
        profile = profile_rows(window, limits.features, limits.task)
        found = check_estimate(
            profile, regression.estimator, limits, level=0.01, gate_value=None, losses=regression.loss_model
        )
        assert realised(window)["mae"] == pytest.approx(0.36 if hard == 0.0 else 1.08, abs=0.05)
        assert found.verdict is verdict


def test_a_regression_without_its_loss_model_or_rows_is_insufficient(regression: FittedEstimator) -> None:
    profile = profile_rows(regression_rows(500, 4), REGRESSION.features, REGRESSION.task)
    empty = profile_rows([], REGRESSION.features, REGRESSION.task)
    for window, losses in ((profile, None), (empty, regression.loss_model)):
        found = check_estimate(window, regression.estimator, REGRESSION, level=0.05, gate_value=None, losses=losses)
        assert found.verdict is Verdict.INSUFFICIENT


def test_a_regression_is_reconciled_row_by_row(regression: FittedEstimator) -> None:
    for noise, trusted in ((1.0, True), (1.6, False)):
        found = reconcile(
            regression_rows(3_000, 5, hard=0.8, noise=noise),
            regression.estimator,
            REGRESSION,
            champion="v1",
            level=0.01,
            losses=regression.loss_model,
        )
        assert found is not None
        assert found.trusted is trusted
        assert len(found.pairs) == 5


def test_an_estimator_is_kept_with_its_version_and_loads_from_trusted_types_alone(regression: FittedEstimator) -> None:
    lake = InMemoryLake()
    store_estimator(lake, "demand", "v1", regression)
    loaded = load_estimator(lake, "demand", "v1")
    assert loaded is not None
    assert loaded.estimator.metrics == regression.estimator.metrics
    assert loaded.loss_model is not None
    assert regression.loss_model is not None
    rows = regression_rows(50, 6)
    for name, losses in loaded.loss_model.losses(rows).items():
        assert losses == pytest.approx(regression.loss_model.losses(rows)[name])
    assert load_estimator(lake, "demand", "v0") is None


def test_the_same_estimator_is_the_same_bytes(regression: FittedEstimator) -> None:
    first, again = InMemoryLake(), InMemoryLake()
    store_estimator(first, "demand", "v1", regression)
    store_estimator(again, "demand", "v1", learned_regression(regression_rows(4_000, 1)))
    assert first.objects == again.objects


def test_a_damaged_or_altered_estimator_is_refused(regression: FittedEstimator) -> None:
    lake = InMemoryLake()
    store_estimator(lake, "demand", "v1", regression)
    prefix = version_prefix("demand", "v1")
    lake.write_bytes(f"{prefix}absolute_error.skops", b"other", "application/octet-stream")
    with pytest.raises(UnusableArtifact):
        load_estimator(lake, "demand", "v1")
    for content in (b"{", b"{}", b'{"format": 99}', b"[]"):
        lake.write_bytes(prefix + ESTIMATOR, content, "application/json")
        with pytest.raises(UnreadableObject):
            load_estimator(lake, "demand", "v1")


def test_a_feature_of_the_name_the_loss_model_uses_is_no_clash() -> None:
    rows = [{**row, "features": {"prediction": row["features"]["x"]}} for row in regression_rows(300, 7)]
    fitted = learned_regression(rows, {"prediction": FeatureType.NUMERIC})
    assert fitted.estimator.score_feature == "prediction_"
