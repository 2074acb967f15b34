"""The baseline of a version in service: the gate's metric, and how much worse it may be than the champion was."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.performance_limit import DEFAULT_DROP, DEFAULT_WORSENING
from hindsight.evaluation.sequential.observation import Scale, scale_of
from hindsight.registry.version import VersionRecord

_ALMOST_PERFECT = 1 - 1e-3  # nothing can be bet on a null at the end of the metric's range
_MIN_SHARE = 0.5  # of what is expected: a drop beyond the metric's range allows this much
_SMALLEST_LOSS = 1e-9
_ONE_ANSWER = 0.5  # the balanced accuracy of a version that answers alike to two classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The expected value of ``metric`` and how much worse is allowed, in its own unit; and the scale of the bets.

    ``scale`` has the same two on a metric that is a mean over labels: the gate's own, or its stand-in. It is None where
    nothing is expected, since neither version was measured on a holdout.
    """

    metric: Metric
    expected: float | None
    allowed: float | None
    scale: Scale | None

    @property
    def limit(self) -> float | None:
        """The value that the metric must not fall below (a loss: not exceed)."""
        if self.expected is None or self.allowed is None:
            return None
        return self.expected - self.allowed if self.metric.greater_is_better else self.expected + self.allowed


def baseline_of(configuration: ModelConfiguration, record: VersionRecord, against: str) -> Baseline:
    """Build the baseline of a version against the champion it challenged.

    Expected is what that champion was worth on the holdout on which the version was judged; where it could not be
    scored there, what the version itself was. Worse by ``deployment.probation.max_drop`` is allowed; where that is not
    given by 0.05, or for a loss by a fifth.

    Against a champion that gave one answer to everything, and has no such metric or the best value for that, it is the
    balanced accuracy, as at the gate.

    R² and averages over classes are no means over labels. For R² the bets are on the RMSE: a drop of d from r lets
    the mean square grow by d / (1 - r) of itself. For macro averages they are on the accuracy, with the same drop.
    """
    known = record.champion_metrics if record.compared_with == against and record.champion_metrics else record.metrics
    return _baseline(configuration, known)


def live_baseline(configuration: ModelConfiguration, champion: LabelledPredictions) -> Baseline:
    """Build the baseline of a rollout from what the champion is worth in service, where no holdout says it."""
    needed = {configuration.gate_metric, Metric.ACCURACY, Metric.R2, Metric.RMSE}
    known = {metric: champion.measure(metric) for metric in needed if configuration.task in metric.tasks}
    return _baseline(configuration, {str(metric): value for metric, value in known.items()})


def kept_baseline(configuration: ModelConfiguration, scale: Scale) -> Baseline:
    """Build the live baseline that a test was begun with; what the champion is worth since does not change it."""
    metric = configuration.gate_metric
    if scale.metric is metric:
        return _baseline(configuration, {metric: scale.null})
    allowed = configuration.deployment.probation.max_drop or DEFAULT_DROP
    return Baseline(metric=metric, expected=None, allowed=allowed, scale=scale)


def _baseline(configuration: ModelConfiguration, known: Mapping[str, float | None]) -> Baseline:
    metric = configuration.gate_metric
    expected = known.get(metric)
    if (expected is None or metric.flatters(expected)) and known.get(Metric.BALANCED_ACCURACY) == _ONE_ANSWER:
        metric, expected = Metric.BALANCED_ACCURACY, _ONE_ANSWER
    if expected is None:
        return Baseline(metric=metric, expected=None, allowed=None, scale=None)
    allowed = configuration.deployment.probation.max_drop
    if allowed is None:
        allowed = DEFAULT_DROP if metric.greater_is_better else DEFAULT_WORSENING * expected
    drop = allowed if metric.greater_is_better else DEFAULT_DROP  # a loss is in its own unit
    scale = _scale(metric, configuration.task, expected, allowed) or _stand_in(configuration.task, known, drop)
    return Baseline(metric=metric, expected=expected, allowed=allowed, scale=scale)


def _scale(metric: Metric, task: Task, expected: float, allowed: float) -> Scale | None:
    if metric.greater_is_better:
        null = min(expected, _ALMOST_PERFECT)
        return scale_of(metric, task, null=null, limit=max(null - allowed, _MIN_SHARE * null))
    null = max(expected, _SMALLEST_LOSS)
    return scale_of(metric, task, null=null, limit=null + max(allowed, _SMALLEST_LOSS))


def _stand_in(task: Task, known: Mapping[str, float | None], allowed: float) -> Scale | None:
    if task is not Task.REGRESSION:
        accuracy = known.get(Metric.ACCURACY)
        return None if accuracy is None else _scale(Metric.ACCURACY, task, accuracy, allowed)
    explained, error = known.get(Metric.R2), known.get(Metric.RMSE)
    if explained is None or error is None or explained >= 1:
        return None
    grown = math.sqrt(1 + allowed / (1 - explained))
    return _scale(Metric.RMSE, task, error, error * (grown - 1))
