"""Recalibration of an estimator's probabilities, judged on rows it was not trained on."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from hindsight.evaluation.metrics import Floats, Values
from hindsight.monitoring.estimation.estimator import ScoreCalibration
from hindsight.registry.schema import Schema
from hindsight.training.fitting.calibration import fit_calibration
from hindsight.training.fitting.paired_losses import Truth, is_better, losses_of_chances
from hindsight.training.models.probabilities import Recalibration
from hindsight.training.models.scoring import class_codes

MIN_ROWS = 200
MIN_CLASS_ROWS = 20
_MIN_LINE_ROWS = 1_000  # isotonic regression of fewer rows follows their noise (Niculescu-Mizil and Caruana, 2005)
_FOLDS = 5
_MIN_PROBABILITY = 1e-12

Fit = Callable[[Floats, Truth, Schema], Recalibration]


def find_recalibration(chances: Floats, truth: Truth, schema: Schema) -> Recalibration | None:
    """Find the recalibration that makes probabilities better, None where none does or there are too few rows.

    Each kind is judged in five folds by its log loss on rows it was not fitted on, and has to gain more than one
    standard error: over none, and lines over the scaling.

    Parameters
    ----------
    chances : shape (n, classes), an estimator's probabilities for rows that came after those it was trained on
    truth : their labels and weights
    """
    if not can_calibrate(truth, schema):
        return None
    kinds: list[Fit] = [_fit_scaling]
    if len(schema.classes) == 2 and len(chances) >= _MIN_LINE_ROWS:
        kinds.append(_fit_lines)
    best, chosen = losses_of_chances(chances, truth, schema), None
    for fit in kinds:
        losses = losses_of_chances(_out_of_fold(fit, chances, truth, schema), truth, schema)
        if is_better(losses, best, truth):
            best, chosen = losses, fit
    return None if chosen is None else chosen(chances, truth, schema)


def can_calibrate(truth: Truth, schema: Schema) -> bool:
    """Decide whether there are enough rows, of every class, to judge probabilities by."""
    if len(truth.labels) < MIN_ROWS:
        return False
    counts = np.bincount(class_codes(truth.labels, schema), minlength=len(schema.classes))
    return bool((counts >= MIN_CLASS_ROWS).all())


def _out_of_fold(fit: Fit, chances: Floats, truth: Truth, schema: Schema) -> Floats:
    found = np.empty_like(chances)
    fold = np.arange(len(chances)) % _FOLDS
    for number in range(_FOLDS):
        inside, outside = fold != number, fold == number
        fitted = fit(chances[inside], Truth(truth.labels[inside], truth.weights[inside]), schema)
        found[outside] = fitted.apply(chances[outside])
    return found


def _fit_scaling(chances: Floats, truth: Truth, schema: Schema) -> Recalibration:
    """Fit the slope, and for two classes the shift, of the least log loss."""
    logarithms = np.log(np.maximum(chances, _MIN_PROBABILITY))
    codes = class_codes(truth.labels, schema)
    weights = truth.weights / truth.weights.sum()
    binary = len(schema.classes) == 2
    chosen = (np.arange(len(codes)), codes)

    def loss(parameters: Values) -> tuple[float, Values]:
        slope = np.exp(parameters[0])
        scaled = slope * logarithms
        if binary:
            scaled[:, 1] += parameters[1]
        norm = logsumexp(scaled, axis=1, keepdims=True)
        excess = np.exp(scaled - norm)
        excess[chosen] -= 1.0
        of_slope = float(weights @ (excess * logarithms).sum(axis=1)) * slope
        gradient = [of_slope, float(weights @ excess[:, 1])] if binary else [of_slope]
        return float(weights @ (norm[:, 0] - scaled[chosen])), np.array(gradient)

    start = np.zeros(2 if binary else 1)
    bounds = [(np.log(0.05), np.log(20.0)), (-10.0, 10.0)][: len(start)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    shifts = [0.0] * len(schema.classes)
    if binary:
        shifts[1] = float(found[1])
    return Recalibration(float(np.exp(found[0])), tuple(shifts))


def _fit_lines(chances: Floats, truth: Truth, _schema: Schema) -> Recalibration:
    """Fit the isotonic regression, kept from the ends: no number of rows proves a probability of zero."""
    fitted = fit_calibration(chances[:, 1], truth.labels.astype(np.float64), truth.weights)
    least = 1 / (len(chances) + 2)
    probabilities = np.clip(fitted.probabilities, least, 1 - least)
    return Recalibration(1.0, (0.0, 0.0), ScoreCalibration(fitted.scores, tuple(probabilities.tolist())))
