"""The gate: the checks of a challenger before it serves. Pure, every check with its number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hindsight.config.metrics import METRICS_BY_TASK, Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.evaluation.metrics import Values
from hindsight.evaluation.slices import slices_of
from hindsight.registry.version import Check
from hindsight.training.gate.bootstrap import PairedPredictions, paired_difference
from hindsight.training.models.scoring import Predictions

_SQUARED = frozenset({Metric.RMSE, Metric.R2})
_SLICE_CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The holdout and the predictions for it; ``champion`` is None for a first version, which meets the baseline.

    ``weights``, shape (n,), are the predictions each row stands for, ``entities`` the subjects of the rows: rows of one
    entity are no independent evidence. None of those stands alone, and None altogether where nothing is known.
    ``answered`` are the places of the rows that the champion's predictions are for, None for all of them.
    """

    labels: Values
    frame: pd.DataFrame
    challenger: Predictions
    baseline: Predictions
    champion: Predictions | None = None
    weights: npt.NDArray[np.float64] | None = None
    entities: Sequence[str | None] | None = None
    answered: npt.NDArray[np.intp] | None = None

    def against(self, other: Predictions) -> PairedPredictions:
        """Pair the challenger's predictions with those of another version for all rows."""
        return PairedPredictions(self.labels, other, self.challenger, self.weights, _clusters(self.entities))

    def of_answered(self) -> "Contest":
        """Narrow the contest to the rows that the champion answered."""
        if self.answered is None:
            return self
        places = self.answered
        return Contest(
            labels=self.labels[places],
            frame=self.frame.iloc[places],
            challenger=self.challenger.at(places),
            baseline=self.baseline.at(places),
            champion=self.champion,
            weights=None if self.weights is None else self.weights[places],
            entities=None if self.entities is None else [self.entities[place] for place in places.tolist()],
        )


def judge(contest: Contest, configuration: ModelConfiguration) -> list[Check]:
    """Run every check of the gate on the holdout; a challenger passes if all of them did."""
    floor = _floor(contest, configuration)
    if contest.champion is None:
        baseline = contest.against(contest.baseline)
        return [floor, _better(baseline, "baseline", 0.0, configuration)]
    answered = contest.of_answered()
    paired = answered.against(contest.champion)
    better = _better(paired, "champion", configuration.gate.margin, configuration)
    return [floor, better, *_slices(paired, answered.frame, configuration)]


def baseline_predictions(task: Task, metric: Metric, counts: Mapping[str, Any], rows: int) -> Predictions:
    """Predict every row as a baseline that knows only the training labels.

    The likeliest class with the classes' frequencies, or the median (the mean where errors count squared).
    ``counts`` are the manifest's for the train part.
    """
    if task is Task.REGRESSION:
        values = np.full(rows, counts["mean"] if metric in _SQUARED else counts["median"], dtype=np.float64)
        return Predictions(task, values, values)
    classes = counts["classes"]
    if task is Task.BINARY:
        scores = np.full(rows, classes.get("1", 0) / counts["rows"])
        return Predictions(task, (scores >= 0.5).astype(np.float64), scores)
    names = tuple(sorted(classes))
    chances = np.tile([classes[name] / counts["rows"] for name in names], (rows, 1))
    likeliest = np.array(names, dtype=np.str_)[chances.argmax(axis=1)]
    return Predictions(task, likeliest, chances.max(axis=1), chances, names)


def _floor(contest: Contest, configuration: ModelConfiguration) -> Check:
    metric, floor = configuration.gate_metric, configuration.gate.floor
    value = contest.challenger.measure(metric, contest.labels, contest.weights)
    if value is None:
        return Check(name="floor", passed=False, limit=floor, detail=f"{metric} is undefined on the holdout")
    passed = floor is None or (value >= floor if metric.greater_is_better else value <= floor)
    return Check(
        name="floor",
        passed=passed,
        value=value,
        limit=floor,
        detail=f"{metric} is {value:.4f}" + ("" if floor is None else f", the floor is {floor:g}"),
    )


def _better(paired: PairedPredictions, opponent: str, margin: float, configuration: ModelConfiguration) -> Check:
    """Check that the challenger is better than its opponent, by the metric or in its stead by balanced accuracy.

    An opponent that never says yes has no precision, one that always does a recall of 1. It is no worse or better for
    that, and must not be unbeatable either: both are judged by a metric that gives such an opponent no credit.
    """
    asked, confidence = configuration.gate_metric, configuration.gate.confidence
    metric = _judged_by(paired, asked)
    name, instead = f"better_than_{opponent}", ""
    if metric is not asked:
        value = paired.champion.measure(asked, paired.labels, paired.weights)
        has = f"has no {asked}" if value is None else f"cannot be beaten by {asked}"
        instead, margin = f"the {opponent} answers the same to every row and {has}: ", 0.0
    difference = paired_difference(paired, metric, confidence, configuration.training.seed)
    if difference is None:
        detail = f"{metric} cannot be compared on {len(paired.labels)} rows"
        return Check(name=name, passed=False, limit=margin, detail=f"{instead}{detail}{_of_one_class(paired)}")
    return Check(
        name=name,
        passed=difference.lower > margin,
        value=difference.lower,
        limit=margin,
        detail=f"{instead}{metric} is {_by(difference.estimate)}, at {confidence:.0%} confidence "
        f"{_by(difference.lower)} at least; it must be better by more than {margin:g}",
    )


def _judged_by(paired: PairedPredictions, metric: Metric) -> Metric:
    """Choose the metric; another where the opponent decides all alike, and none can be better than it for that."""
    opponent = paired.champion
    value = opponent.measure(metric, paired.labels, paired.weights)
    is_degenerate = (
        (value is None or metric.flatters(value))
        and paired.challenger.measure(metric, paired.labels, paired.weights) is not None
        and Metric.BALANCED_ACCURACY in METRICS_BY_TASK[opponent.task]
        and len(np.unique(opponent.decisions)) == 1
    )
    return Metric.BALANCED_ACCURACY if is_degenerate else metric


def _of_one_class(paired: PairedPredictions) -> str:
    if paired.challenger.task is not Task.REGRESSION and len(np.unique(paired.labels)) == 1:
        return ": all of them have the same label"
    return ""


def _by(difference: float) -> str:
    return f"better by {difference:.4f}" if difference >= 0 else f"worse by {-difference:.4f}"


def _slices(paired: PairedPredictions, frame: pd.DataFrame, configuration: ModelConfiguration) -> Iterator[Check]:
    metric = _judged_by(paired, configuration.gate_metric)
    for feature in configuration.monitoring.slices:
        for name, chosen in slices_of(frame[feature].to_numpy(), configuration.features[feature].type):
            if len(chosen) >= configuration.gate.min_slice_rows:
                yield from _slice(paired.at(chosen), metric, f"slice {feature}={name}", configuration)


def _slice(paired: PairedPredictions, metric: Metric, name: str, configuration: ModelConfiguration) -> Iterator[Check]:
    """Check a slice, unless the metric is undefined on it.

    It fails if it drops by more than is allowed and the drop is no mere chance: a bound on it lies above zero. That
    bound is a loose one, and not corrected for the number of slices: to refuse wrongly costs a run, to promote wrongly
    costs those in the slice. On a few hundred rows it hardly ever excuses a drop, on a hundred every other by chance.
    """
    gate = configuration.gate
    confidence = min(gate.confidence, _SLICE_CONFIDENCE)
    advantage = paired.advantage(metric)
    if advantage is None:
        return
    drop = 0.0 - advantage
    detail = f"{metric} is worse by {drop:.4f} on {len(paired.labels)} rows, {gate.max_slice_drop:g} is allowed"
    passed = drop <= gate.max_slice_drop
    if not passed:
        sure = paired_difference(paired.swapped(), metric, confidence, configuration.training.seed)
        passed = sure is not None and sure.lower <= 0
        detail += "" if sure is None else f"; at {confidence:.0%} confidence worse by at least {sure.lower:.4f}"
        detail += ", which chance explains" if passed else ""
    yield Check(name=name, passed=passed, value=drop, limit=gate.max_slice_drop, detail=detail)


def _clusters(entities: Sequence[str | None] | None) -> Values | None:
    """Number the rows by their entities; a row without one has its own number."""
    if entities is None:
        return None
    numbers: dict[str, int] = {}
    alone = count(len(entities))
    rows = (next(alone) if name is None else numbers.setdefault(name, len(numbers)) for name in entities)
    return np.fromiter(rows, dtype=np.intp, count=len(entities))
