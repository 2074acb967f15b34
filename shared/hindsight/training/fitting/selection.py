"""The selection on the validation split: recalibration and threshold, before all rows are trained on."""

from dataclasses import dataclass, replace

import numpy as np

from hindsight.config.metrics import Metric, Task
from hindsight.evaluation.metrics import Floats, evaluate
from hindsight.training.fitting.paired_losses import Truth
from hindsight.training.fitting.pipeline_spec import PipelineSpec
from hindsight.training.fitting.recalibration import can_calibrate, find_recalibration
from hindsight.training.fitting.validation_split import ValidationSplit
from hindsight.training.models.probabilities import Recalibration
from hindsight.training.models.scoring import LoadedVersion

_THRESHOLDS = np.round(np.arange(0.02, 0.981, 0.01), 2)


@dataclass(frozen=True, slots=True)
class Selection:
    """The recalibration and threshold found on the later rows, and the score with them there.

    ``validation_score`` is the gate's metric, None where it is undefined; candidates are compared by it.
    """

    recalibration: Recalibration | None = None
    threshold: float = 0.5
    validation_score: float | None = None

    def apply(self, version: LoadedVersion) -> LoadedVersion:
        """Apply the selection to a version."""
        shown = replace(version.schema, threshold=self.threshold)
        if self.recalibration is None:
            return LoadedVersion(shown, version.pipeline, version.recalibration)
        before = version.recalibration
        after = self.recalibration if before is None else before.then(self.recalibration)
        return LoadedVersion(shown, version.pipeline, after)


def select(spec: PipelineSpec, split: ValidationSplit) -> Selection:
    """Select recalibration and threshold for a specification on its validation split."""
    training, schema = spec.training, spec.schema
    fixed = 0.5 if training.threshold == "best" else training.threshold
    trained, later = spec.train(split.earlier), split.later
    truth = split.truth(training)
    selection = Selection(threshold=fixed)
    if schema.task is not Task.REGRESSION and training.calibration == "auto":
        selection = replace(selection, recalibration=find_recalibration(trained.chances(later.frame), truth, schema))
    if training.threshold == "best" and can_calibrate(truth, schema):
        probabilities = selection.apply(trained).chances(later.frame)[:, 1]
        selection = replace(selection, threshold=best_threshold(probabilities, truth, schema.metric))
    predictions = selection.apply(trained).predict(later.frame)
    return replace(selection, validation_score=predictions.measure(schema.metric, later.labels, later.weights))


def best_threshold(probabilities: Floats, truth: Truth, metric: Metric) -> float:
    """Find the probability, in steps of a hundredth, from which on a decision should be positive.

    Of neighbouring thresholds that do equally well the middle one, so that it lies where little depends on it.

    >>> truth = Truth(np.array([0.0, 0.0, 1.0, 1.0]), np.ones(4))
    >>> best_threshold(np.array([0.1, 0.2, 0.3, 0.9]), truth, Metric.ACCURACY)
    0.25
    """
    found = [
        evaluate(metric, Task.BINARY, truth.labels, decided.astype(np.float64), probabilities, weights=truth.weights)
        for decided in (probabilities >= threshold for threshold in _THRESHOLDS)
    ]
    values = np.array([-1.0 if value is None else value for value in found])
    best = np.flatnonzero(values >= values.max() - 1e-12)
    runs = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    longest = max(runs, key=len)
    return float(_THRESHOLDS[longest[(len(longest) - 1) // 2]])
