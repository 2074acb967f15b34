"""The gate: what a challenger must prove before it serves. Pure, every check with its number."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.registry.version import Check
from hindsight.training.gate.bootstrap import Paired, paired_difference
from hindsight.training.models.scoring import Predictions

Values = npt.NDArray[Any]

_SQUARED = frozenset({Metric.RMSE, Metric.R2})
_QUARTERS = 4
_SLICE_CONFIDENCE = 0.9
_MAX_SLICES = 50  # a feature: the record of a version has to fit one item


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The holdout and the predictions for it; ``champion`` is None for a first version, which meets the baseline.

    ``weights``, shape (n,), are the predictions each row stands for, ``entities`` the subjects of the rows: rows of one
    entity are no independent evidence. None of those stands alone, and None altogether where nothing is known.
    """

    labels: Values
    frame: pd.DataFrame
    challenger: Predictions
    baseline: Predictions
    champion: Predictions | None = None
    weights: npt.NDArray[np.float64] | None = None
    entities: Sequence[str | None] | None = None

    def against(self, other: Predictions) -> Paired:
        """Pair the challenger's predictions with those of another version."""
        return Paired(self.labels, other, self.challenger, self.weights, _clusters(self.entities))


def judge(contest: Contest, configuration: ModelConfiguration) -> list[Check]:
    """Run every check of the gate on the holdout; a challenger passes if all of them did."""
    floor = _floor(contest, configuration)
    if contest.champion is None:
        baseline = contest.against(contest.baseline)
        return [floor, _better(baseline, "better_than_baseline", 0.0, configuration)]
    paired = contest.against(contest.champion)
    better = _better(paired, "better_than_champion", configuration.gate.margin, configuration)
    return [floor, better, *_slices(paired, contest.frame, configuration)]


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


def _better(paired: Paired, name: str, margin: float, configuration: ModelConfiguration) -> Check:
    metric, confidence = configuration.gate_metric, configuration.gate.confidence
    difference = paired_difference(paired, metric, confidence, configuration.training.seed)
    if difference is None:
        detail = f"{metric} cannot be compared on {len(paired.labels)} rows"
        return Check(name=name, passed=False, limit=margin, detail=detail)
    return Check(
        name=name,
        passed=difference.lower > margin,
        value=difference.lower,
        limit=margin,
        detail=f"{metric} is better by {difference.estimate:.4f}, at {confidence:.0%} confidence by at least "
        f"{difference.lower:.4f}; it must be more than {margin:g}",
    )


def _slices(paired: Paired, frame: pd.DataFrame, configuration: ModelConfiguration) -> Iterator[Check]:
    for feature in configuration.monitoring.slices:
        for name, chosen in slices_of(frame[feature], configuration.features[feature].type):
            if chosen.sum() >= configuration.gate.min_slice_rows:
                yield from _slice(paired.at(chosen), f"slice {feature}={name}", configuration)


def _slice(paired: Paired, name: str, configuration: ModelConfiguration) -> Iterator[Check]:
    """Check a slice, unless the metric is undefined on it.

    It fails if it drops by more than is allowed and the drop is no mere chance: a bound on it lies above zero. That
    bound is a loose one, and not corrected for the number of slices: to refuse wrongly costs a run, to promote wrongly
    costs those in the slice. On a few hundred rows it hardly ever excuses a drop, on a hundred every other by chance.
    """
    metric, gate = configuration.gate_metric, configuration.gate
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


def slices_of(column: "pd.Series[Any]", kind: FeatureType) -> Iterator[tuple[str, Values]]:
    """List the slices of a column and the rows in them: its most frequent values, for numbers their quarters.

    >>> [(name, int(rows.sum())) for name, rows in slices_of(pd.Series([1.0, 0.0, 1.0]), FeatureType.BOOLEAN)]
    [('false', 1), ('true', 2)]
    """
    values = column.to_numpy()
    if kind is FeatureType.BOOLEAN:
        yield from (("false", values == 0), ("true", values == 1))
    elif kind is FeatureType.CATEGORICAL:
        frequent = Counter(value for value in values if value is not None).most_common(_MAX_SLICES)
        yield from ((text, values == text) for text in sorted(text for text, _ in frequent))
    else:
        yield from _quarters(values)


def _quarters(values: Values) -> Iterator[tuple[str, Values]]:
    present = values[~np.isnan(values)]
    if not len(present):
        return
    edges = np.unique(np.quantile(present, np.linspace(0, 1, _QUARTERS + 1)))
    for low, high in pairwise(edges):
        last = high == edges[-1]
        inside = (values >= low) & ((values <= high) if last else (values < high))
        yield f"{low:g}..{high:g}", inside
