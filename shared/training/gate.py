"""What a challenger must prove before it serves: pure, every check with its number."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from shared.configuration.features import FeatureType
from shared.configuration.metrics import Metric, Task
from shared.configuration.model import ModelConfiguration
from shared.registry.version import Check
from shared.training.bootstrap import Paired, paired_difference
from shared.training.scoring import Answers

Values = npt.NDArray[Any]

_SQUARED = frozenset({Metric.RMSE, Metric.R2})
_QUARTERS = 4
_MOST_SLICES = 50  # a feature: the record of a version has to fit one item


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The holdout and the answers to it; ``champion`` is None for a first version, which meets the baseline."""

    labels: Values
    frame: pd.DataFrame
    challenger: Answers
    baseline: Answers
    champion: Answers | None = None


def judge(contest: Contest, configuration: ModelConfiguration) -> list[Check]:
    """Return every check of the gate on the holdout; a challenger passes if all of them did."""
    checks = [_floor(contest, configuration)]
    if contest.champion is None:
        return [*checks, _better_than_baseline(contest, configuration.gate_metric)]
    paired = Paired(contest.labels, contest.champion, contest.challenger)
    return [
        *checks,
        _better_than_champion(paired, configuration),
        *_slices(paired, contest.frame, configuration),
    ]


def trivial_answers(task: Task, metric: Metric, counts: Mapping[str, Any], rows: int) -> Answers:
    """Return what one who knows only the training labels would answer to every row.

    The likeliest class with the classes' frequencies, or the median (the mean where errors count squared).
    ``counts`` are the manifest's for the train part.
    """
    if task is Task.REGRESSION:
        values = np.full(rows, counts["mean"] if metric in _SQUARED else counts["median"], dtype=np.float64)
        return Answers(task, values, values)
    classes = counts["classes"]
    if task is Task.BINARY:
        scores = np.full(rows, classes.get("1", 0) / counts["rows"])
        return Answers(task, (scores >= 0.5).astype(np.float64), scores)
    names = tuple(sorted(classes))
    chances = np.tile([classes[name] / counts["rows"] for name in names], (rows, 1))
    likeliest = np.array(names, dtype=np.str_)[chances.argmax(axis=1)]
    return Answers(task, likeliest, chances.max(axis=1), chances, names)


def _floor(contest: Contest, configuration: ModelConfiguration) -> Check:
    metric, floor = configuration.gate_metric, configuration.gate.floor
    value = contest.challenger.measure(metric, contest.labels)
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


def _better_than_baseline(contest: Contest, metric: Metric) -> Check:
    advantage = Paired(contest.labels, contest.baseline, contest.challenger).advantage(metric)
    found = "is undefined" if advantage is None else f"is better by {advantage:.4f}"
    return Check(
        name="better_than_baseline",
        passed=advantage is not None and advantage > 0,
        value=advantage,
        limit=0.0,
        detail=f"{metric} {found} than that of the trivial answer",
    )


def _better_than_champion(paired: Paired, configuration: ModelConfiguration) -> Check:
    metric, gate = configuration.gate_metric, configuration.gate
    difference = paired_difference(paired, metric, gate.confidence, configuration.training.seed)
    if difference is None:
        return Check(
            name="better_than_champion", passed=False, limit=gate.margin, detail=f"{metric} is undefined on the holdout"
        )
    return Check(
        name="better_than_champion",
        passed=difference.lower > gate.margin,
        value=difference.lower,
        limit=gate.margin,
        detail=f"{metric} is better by {difference.estimate:.4f}, at {gate.confidence:.0%} confidence by at least "
        f"{difference.lower:.4f}; it must be more than {gate.margin:g}",
    )


def _slices(paired: Paired, frame: pd.DataFrame, configuration: ModelConfiguration) -> Iterator[Check]:
    metric, gate = configuration.gate_metric, configuration.gate
    for feature in configuration.monitoring.slices:
        for name, chosen in slices_of(frame[feature], configuration.features[feature].type):
            if chosen.sum() < gate.min_slice_rows:
                continue
            advantage = paired.at(chosen).advantage(metric)
            if advantage is None:
                continue
            drop = 0.0 - advantage
            yield Check(
                name=f"slice {feature}={name}",
                passed=drop <= gate.max_slice_drop,
                value=drop,
                limit=gate.max_slice_drop,
                detail=f"{metric} is worse by {drop:.4f} on {int(chosen.sum())} rows, "
                f"{gate.max_slice_drop:g} is allowed",
            )


def slices_of(column: "pd.Series[Any]", kind: FeatureType) -> Iterator[tuple[str, Values]]:
    """Yield the slices of a column and the rows in them: its most frequent values, for numbers their quarters.

    >>> [(name, int(rows.sum())) for name, rows in slices_of(pd.Series([1.0, 0.0, 1.0]), FeatureType.BOOLEAN)]
    [('false', 1), ('true', 2)]
    """
    values = column.to_numpy()
    if kind is FeatureType.BOOLEAN:
        yield from (("false", values == 0), ("true", values == 1))
    elif kind is FeatureType.CATEGORICAL:
        frequent = Counter(value for value in values if value is not None).most_common(_MOST_SLICES)
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
