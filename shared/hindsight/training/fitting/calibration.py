"""Calibration of a classifier's scores on its holdout, where that makes them better probabilities."""

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

from hindsight.evaluation.metrics import Floats
from hindsight.monitoring.estimation.estimator import ScoreCalibration

_SPLITS = 10
_TEST_SHARE = 0.1
_BINS = 10
_MIN_ROWS = 40  # fewer leave a test part too small for its calibration error to mean anything
_FOLDS = 5
_SEPARATES = 0.999  # scores that separate the classes as well as this need no probabilities


def fit_calibration(scores: Floats, hits: Floats, weights: Floats | None = None) -> ScoreCalibration:
    """Fit the isotonic regression of outcomes, 0 or 1, on scores (Zadrozny and Elkan, 2002)."""
    isotonic = IsotonicRegression(y_min=0.0, y_max=1.0, increasing=True, out_of_bounds="clip")
    fitted = isotonic.fit(scores, hits, sample_weight=weights)
    return ScoreCalibration(tuple(fitted.X_thresholds_.tolist()), tuple(fitted.y_thresholds_.tolist()))


def needs_calibration(scores: Floats, hits: Floats, seed: int) -> bool:
    """Decide whether calibrated scores would be nearer to the outcomes of rows they were not calibrated on.

    As NannyML decides it: the expected calibration error in ten bins of equal size, over the test parts of ten random
    stratified splits together, is smaller with calibration than without. Scores that separate the classes all but
    perfectly, and outcomes too few or all the same, are left as they are.
    """
    positive = int(hits.sum())
    if len(hits) < _MIN_ROWS or min(positive, len(hits) - positive) < 2:
        return False
    if roc_auc_score(hits, scores) > _SEPARATES:
        return False
    splits = StratifiedShuffleSplit(n_splits=_SPLITS, test_size=_TEST_SHARE, random_state=seed)
    tested, calibrated = list[np.ndarray](), list[Floats]()
    for train, test in splits.split(scores, hits):
        tested.append(test)
        calibrated.append(fit_calibration(scores[train], hits[train]).apply(scores[test]))
    test = np.concatenate(tested)
    return _calibration_error(np.concatenate(calibrated), hits[test]) < _calibration_error(scores[test], hits[test])


def out_of_fold(scores: Floats, hits: Floats, seed: int) -> Floats:
    """Compute each row's probability by a calibration fitted on the other four fifths of the rows."""
    found = fit_calibration(scores, hits).apply(scores)
    if min(hits.sum(), len(hits) - hits.sum()) < _FOLDS:
        return found
    for train, test in StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(scores, hits):
        found[test] = fit_calibration(scores[train], hits[train]).apply(scores[test])
    return found


def _calibration_error(probabilities: Floats, hits: Floats) -> float:
    order = np.argsort(probabilities, kind="stable")
    bins = np.array_split(order, _BINS)
    gaps = [abs(float(probabilities[chosen].mean() - hits[chosen].mean())) * len(chosen) for chosen in bins]
    return sum(gaps) / len(hits)
