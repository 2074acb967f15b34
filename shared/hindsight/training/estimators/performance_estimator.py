"""The performance estimator of a version, fitted once on its holdout when it is trained."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.metrics import Floats, Values
from hindsight.monitoring.estimation.estimator import (
    ABSOLUTE,
    ESTIMABLE,
    SQUARED,
    Estimator,
    HoldoutEstimate,
    expected_predictions,
)
from hindsight.registry.schema import Schema
from hindsight.training.estimators.loss_model import LossModel, fit_loss_model
from hindsight.training.fitting.calibration import fit_calibration, needs_calibration, out_of_fold
from hindsight.training.models.scoring import Predictions

RESAMPLES = 50
_MIN_ROWS = 3  # as many as the folds a loss model is tested in
MAX_ROWS = 20_000  # to resample and to model losses on; a larger holdout is thinned


@dataclass(frozen=True, slots=True)
class FittedEstimator:
    """An estimator, and the loss model it needs for a regression."""

    estimator: Estimator
    loss_model: LossModel | None = None


def fit_estimator(
    schema: Schema, frame: pd.DataFrame, labels: Values, predictions: Predictions, seed: int
) -> FittedEstimator | None:
    """Fit the estimator of a version to its predictions for n holdout rows, None where they are too few or constant.

    The calibration of a classifier is used where ``needs_calibration`` decides so. How far an estimate on
    the holdout is from its realised value is measured on rows the calibration has not seen.
    """
    readable = np.isfinite(predictions.scores)
    if schema.task is not Task.MULTICLASS:
        readable &= np.isfinite(labels)
    chosen = np.flatnonzero(readable)
    if not len(chosen):
        return None
    rng = np.random.default_rng(seed)
    if schema.task is Task.REGRESSION:
        kept = _thinned(chosen, rng)
        rows = frame.iloc[kept].reset_index(drop=True)
        return _fit_regression(schema, rows, labels[kept], predictions.at(kept), seed)
    return FittedEstimator(_fit_classifier(schema, labels[chosen], predictions.at(chosen), rng, seed))


def _thinned(rows: Values, rng: np.random.Generator) -> Values:
    return rows if len(rows) <= MAX_ROWS else np.sort(rng.choice(rows, MAX_ROWS, replace=False))


def _fit_classifier(
    schema: Schema, labels: Values, predictions: Predictions, rng: np.random.Generator, seed: int
) -> Estimator:
    task, scores, decisions = schema.task, predictions.scores, predictions.decisions
    hits = labels if task is Task.BINARY else (labels == decisions).astype(np.float64)
    calibrates = needs_calibration(scores, hits, seed)
    bare = Estimator(
        task=task,
        rows=len(scores),
        least_score=float(scores.min()),
        greatest_score=float(scores.max()),
        metrics={},
        calibration=fit_calibration(scores, hits) if calibrates else None,
    )
    honest = out_of_fold(scores, hits, seed) if calibrates else bare.probabilities(scores)
    estimated = expected_predictions(task, scores, decisions, honest)
    realised = LabelledPredictions(task, labels, decisions, scores)
    errors = _standard_errors(realised, hits, bare, rng)
    found = {}
    for metric in sorted(ESTIMABLE[task]):
        was, would_be = realised.measure(metric), estimated.measure(metric)
        if was is not None and would_be is not None and metric in errors:
            found[metric] = HoldoutEstimate(realised=was, estimated=would_be, standard_error=errors[metric])
    return replace(bare, metrics=found)


def _standard_errors(
    realised: LabelledPredictions, hits: Floats, estimator: Estimator, rng: np.random.Generator
) -> dict[Metric, float]:
    """Compute how much the estimate of each metric varies from holdout to holdout, by the bootstrap (Efron, 1979).

    Of a calibration, what it estimates for the same scores when it is fitted on rows drawn again; where scores are
    taken as they are, how well they are known to be right: by how much the realised value differs from the estimated.
    """
    places = _thinned(np.arange(len(realised)), rng)
    rows, outcomes = realised.at(places), hits[places]
    drawn: dict[Metric, list[float]] = {metric: [] for metric in ESTIMABLE[realised.task]}
    for _ in range(RESAMPLES):
        sample = rng.integers(len(rows), size=len(rows))
        measure = _resampled(rows, outcomes, estimator, sample)
        for metric, values in drawn.items():
            if (value := measure(metric)) is not None:
                values.append(value)
    shrink = np.sqrt(len(rows) / len(realised))
    return {metric: float(np.std(values) * shrink) for metric, values in drawn.items() if len(values) > RESAMPLES / 2}


def _resampled(
    rows: LabelledPredictions, outcomes: Floats, estimator: Estimator, sample: Values
) -> Callable[[Metric], float | None]:
    task = rows.task
    if estimator.calibration is not None:
        calibration = fit_calibration(rows.scores[sample], outcomes[sample])
        return expected_predictions(task, rows.scores, rows.decisions, calibration.apply(rows.scores)).measure
    seen = rows.at(sample)
    expected = expected_predictions(task, seen.scores, seen.decisions, estimator.probabilities(seen.scores))

    def difference(metric: Metric) -> float | None:
        was, would_be = seen.measure(metric), expected.measure(metric)
        return None if was is None or would_be is None else was - would_be

    return difference


def _fit_regression(
    schema: Schema, frame: pd.DataFrame, labels: Values, predictions: Predictions, seed: int
) -> FittedEstimator | None:
    values = predictions.scores
    if len(values) < _MIN_ROWS:
        return None
    errors = np.abs(values - labels)
    losses = {ABSOLUTE: errors, SQUARED: errors**2}
    if not np.isfinite(losses[SQUARED]).all():
        return None
    fitted = fit_loss_model(schema, frame, values, losses, seed)
    absolute, squared = (_holdout_estimate(losses[name], fitted.out_of_fold[name]) for name in (ABSOLUTE, SQUARED))
    estimator = Estimator(
        task=Task.REGRESSION,
        rows=len(values),
        least_score=float(values.min()),
        greatest_score=float(values.max()),
        metrics={Metric.MAE: absolute, Metric.RMSE: _root(squared)},
        score_feature=fitted.model.score_feature,
    )
    return FittedEstimator(estimator, fitted.model)


def _holdout_estimate(losses: Floats, estimated: Floats) -> HoldoutEstimate:
    residual = float(np.std(losses - estimated))
    return HoldoutEstimate(
        realised=float(losses.mean()),
        estimated=float(estimated.mean()),
        standard_error=residual / float(np.sqrt(len(losses))),
        spread=residual,
    )


def _root(squared: HoldoutEstimate) -> HoldoutEstimate:
    """Convert the estimate of a mean squared error to that of its root; its ``spread`` stays that of the squares."""
    realised, estimated = float(np.sqrt(squared.realised)), float(np.sqrt(squared.estimated))
    slope = 1 / (2 * realised) if realised else 0.0
    return HoldoutEstimate(
        realised=realised,
        estimated=estimated,
        standard_error=squared.standard_error * slope,
        spread=squared.spread,
    )
