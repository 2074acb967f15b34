"""Reconciliation of estimates: rows whose labels have matured, estimated again and compared with their realised value.

Nothing is stored for it: a label record holds the score and the decision that its prediction was estimated by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from scipy.special import bdtrc, ndtr, ndtri

from hindsight.config.metrics import Metric
from hindsight.config.model import ModelConfiguration
from hindsight.core.times import microseconds
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.influence import measure_influence
from hindsight.evaluation.labelled_predictions import LabelledPredictions
from hindsight.evaluation.matured_labels import read_matured
from hindsight.evaluation.metrics import Floats, Values
from hindsight.label_records.rows import LabelRows
from hindsight.monitoring.estimation.estimator import ABSOLUTE, SQUARED, Estimator, LossPredictor, expected_predictions

MIN_LABELS = 100  # in a pair; a day with fewer is taken together with the next
MAX_PAIRS = 30
MAX_MODELLED = 5_000  # rows of a regression whose losses are predicted
_COVERAGE = 0.95
_DAY = len("2026-03-01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The predictions of some days, with their estimated and their realised metric.

    ``lower`` and ``upper`` hold the realised value in 95 of 100 cases where the estimate's assumption holds.
    """

    first_day: str
    last_day: str
    labels: int
    estimated: float
    realised: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The comparison of estimates with labels; ``mean_error`` is realised less estimated, over all labels.

    It is not ``trusted`` once so large an error, or so many pairs outside their interval, would be rarer than the level
    it was judged at.
    """

    labels: int
    pairs: tuple[Pair, ...]
    mean_error: float | None
    outside: int
    p_value: float
    trusted: bool
    reason: str


def reconcile(
    rows: Sequence[LabelFields],
    estimator: Estimator | None,
    configuration: ModelConfiguration,
    *,
    champion: str,
    level: float,
    losses: LossPredictor | None = None,
) -> Reconciliation | None:
    """Compare the champion's estimates with its matured label records, the same rows for both.

    Pairing takes out the difficulty of rows: what is left is the chance of labels, the error of the holdout, and
    concept drift. None where there is nothing to compare.
    """
    metric = configuration.performance_metric
    if estimator is None or estimator.task is not configuration.task or metric not in estimator.metrics:
        return None
    records = LabelRows.of(rows)
    is_meant = records.values("model_version").is_text(champion)
    if estimator.fitted_until is not None:
        # The labels that it was fitted on would agree with it.
        is_meant &= records.times("occurred_at").microseconds > microseconds(estimator.fitted_until)
    of_champion = records.at(is_meant)
    chosen = of_champion.at(np.argsort(of_champion.times("occurred_at").microseconds, kind="stable"))
    compare = (
        _LossComparison(chosen, configuration, losses) if losses else _ScoreComparison(chosen, configuration, estimator)
    )
    holdout = estimator.metrics[metric].standard_error
    whole = compare.difference(metric, np.arange(len(compare.days)))
    if whole is None:
        return None
    pairs = []
    for places in _groups(compare.days):
        if (found := compare.difference(metric, places)) is not None:
            reach = float(ndtri((1 + _COVERAGE) / 2)) * float(np.hypot(found.deviation, holdout))
            pairs.append(
                Pair(
                    first_day=compare.days[places[0]],
                    last_day=compare.days[places[-1]],
                    labels=found.labels,
                    estimated=found.estimated,
                    realised=found.realised,
                    lower=found.estimated - reach,
                    upper=found.estimated + reach,
                )
            )
    return _judge(metric, tuple(pairs), whole, holdout, level)


@dataclass(frozen=True, slots=True)
class _Difference:
    labels: int
    estimated: float
    realised: float
    deviation: float


def _judge(metric: Metric, pairs: tuple[Pair, ...], whole: _Difference, holdout: float, level: float) -> Reconciliation:
    error, unsure = whole.realised - whole.estimated, float(np.hypot(whole.deviation, holdout))
    outside = sum(not pair.lower <= pair.realised <= pair.upper for pair in pairs)
    of_mean = 2 * float(ndtr(-abs(error) / unsure)) if unsure > 0 else 1.0
    of_pairs = float(bdtrc(outside - 1, len(pairs), 1 - _COVERAGE)) if outside else 1.0
    p_value = min(1.0, 2 * min(of_mean, of_pairs))  # Bonferroni: two tests of the same labels
    trusted = p_value >= level
    comparison = (
        f"on {whole.labels} labels {metric} came out {abs(error):.4f} {'above' if error > 0 else 'below'} its estimate "
        f"{whole.estimated:.4f}, and {outside} of {len(pairs)} times outside its interval"
    )
    return Reconciliation(
        labels=whole.labels,
        pairs=pairs,
        mean_error=error,
        outside=outside,
        p_value=p_value,
        trusted=trusted,
        reason=comparison if trusted else f"{comparison}: concept drift is likely",
    )


def _groups(days: Sequence[str]) -> list[Values]:
    """Group the indices of rows in order of their days, by day or several days with enough labels together."""
    least = max(MIN_LABELS, -(-len(days) // MAX_PAIRS))
    starts = [place for place in range(len(days)) if place == 0 or days[place] != days[place - 1]]
    groups, begun = list[Values](), 0
    for end in [*starts[1:], len(days)]:
        if end - begun >= least:
            groups.append(np.arange(begun, end))
            begun = end
    return groups


class _ScoreComparison:
    """Predictions of a classifier, by their calibrated scores and by their labels."""

    def __init__(self, rows: LabelRows, configuration: ModelConfiguration, estimator: Estimator) -> None:
        matured = read_matured(rows, configuration)
        self._predictions, self._estimator = matured.predictions, estimator
        self.days = matured.rows.times("occurred_at").texts(timedelta(days=1), _DAY)

    def difference(self, metric: Metric, places: Values) -> _Difference | None:
        rows = self._predictions.at(places)
        chances = self._estimator.probabilities(rows.scores)
        expected = expected_predictions(rows.task, rows.scores, rows.decisions, chances, weights=rows.weights)
        estimated, realised = expected.measure(metric), rows.measure(metric)
        if estimated is None or realised is None:
            return None
        return _Difference(len(places), estimated, realised, _label_deviation(metric, expected, chances))


def _label_deviation(metric: Metric, expected: LabelledPredictions, chances: Floats) -> float:
    """Compute a metric's deviation over the labels of the same rows, each of which is drawn by its probability."""
    influence = measure_influence(metric, expected).influence
    swing = influence[: len(chances)] - influence[len(chances) :]
    return float(np.sqrt((chances * (1 - chances)) @ swing**2))


class _LossComparison:
    """Predictions of a regression, by their expected and their realised losses."""

    def __init__(self, rows: LabelRows, configuration: ModelConfiguration, losses: LossPredictor) -> None:
        every = max(1, -(-len(rows) // MAX_MODELLED))
        matured = read_matured(rows[::every], configuration)
        errors = np.abs(matured.predictions.decisions - matured.predictions.labels)
        self._realised = {ABSOLUTE: errors, SQUARED: errors**2}
        self._expected = losses.losses(matured.rows)
        self._weights = matured.predictions.weights
        self.days = matured.rows.times("occurred_at").texts(timedelta(days=1), _DAY)

    def difference(self, metric: Metric, places: Values) -> _Difference | None:
        name = SQUARED if metric is Metric.RMSE else ABSOLUTE
        if not len(places):
            return None
        weights = self._weights[places] / self._weights[places].sum()
        realised, expected = self._realised[name][places], self._expected[name][places]
        was, would_be = float(weights @ realised), float(weights @ expected)
        deviation = float(np.sqrt(weights**2 @ (realised - expected - (was - would_be)) ** 2))
        if not np.isfinite([was, would_be, deviation]).all():
            return None
        if metric is not Metric.RMSE:
            return _Difference(len(places), would_be, was, deviation)
        middle = float(np.sqrt(was) + np.sqrt(would_be)) / 2
        return _Difference(
            len(places), float(np.sqrt(would_be)), float(np.sqrt(was)), deviation / (2 * middle) if middle else 0.0
        )
