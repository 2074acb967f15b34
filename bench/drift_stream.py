"""A champion's life without drift, in counts: a year of hourly checks at once, judged by the product's statistics.

What `check_drift` does of one window, `Year` does of 8,760: the same bins, distances, tests and levels, on arrays.
`Year.profiles` gives any of its windows as profiles, so that both can be held against each other.

The newest rows are held against the training alone where that is neither significant nor large: then a week before
cannot matter, for their p-value is the larger of the two, their size the smaller. Elsewhere `check_drift` is asked.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from bench.drift_statistics import (
    Floats,
    Integers,
    benjamini_hochberg,
    category_drift,
    missing_drift,
    number_drift,
    unseen_drift,
)
from hindsight.config.features import FeatureType
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.evaluation.sequential.alpha_spending import level_of
from hindsight.monitoring.drift.differences import measure_recent
from hindsight.monitoring.drift.feature_verdict import DriftKind
from hindsight.monitoring.drift.recent_window import RecentRows
from hindsight.profiles.categories import CategorySketch
from hindsight.profiles.column import ColumnProfile
from hindsight.profiles.numbers import NumberSketch
from hindsight.profiles.profile import Profile

Booleans = npt.NDArray[np.bool_]
PROMOTED = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = 8760
WINDOW_HOURS = 168
_BEFORE = 2 * WINDOW_HOURS  # the first check looks back a window, and a week before its hours
SCORE = "score"
_EXACT = 60_000  # a sketch of this size forgets nothing of a window


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedColumn:
    """One column of the stream: the shares of its values, the last one that of missing ones; numbers are 0, 1, 2, …"""

    name: str
    kind: FeatureType
    shares: Floats


def _column(name: str, kind: FeatureType, shares: Floats, missing: float = 0.0) -> SimulatedColumn:
    return SimulatedColumn(name, kind, np.append(shares / shares.sum() * (1 - missing), missing))


def _bell(points: int, skew: float) -> Floats:
    places = np.linspace(-2, 2, points)
    return np.asarray(np.exp(-(places**2) / 2 + skew * places))


def simulated_columns() -> list[SimulatedColumn]:
    """Build twenty features, of every type, and the score."""
    numbers = [
        _column(f"number_{index}", FeatureType.NUMERIC, _bell(24 if index % 4 else 8, index / 20), 0.02 * (index % 3))
        for index in range(12)
    ]
    categories = [
        _column(f"category_{index}", FeatureType.CATEGORICAL, np.arange(3.0, 9.0) ** index, missing=0.03 * index)
        for index in range(3)
    ]
    rare = _column("rare_categories", FeatureType.CATEGORICAL, 1 / np.arange(1.0, 101.0))
    flags = [
        _column(f"flag_{index}", FeatureType.BOOLEAN, np.array([share, 1 - share]), missing=0.01)
        for index, share in enumerate((0.5, 0.2, 0.05, 0.01))
    ]
    return [*numbers, *categories, rare, *flags, _column(SCORE, FeatureType.NUMERIC, _bell(24, 0.5))]


def default_configuration(columns: list[SimulatedColumn]) -> ModelConfiguration:
    """Build a configuration that leaves monitoring at its defaults."""
    return parse_configuration(
        {
            "model": "simulated",
            "task": "regression",
            "features": {column.name: {"type": column.kind.value} for column in columns if column.name != SCORE},
            "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "P1D"}]},
        }
    )


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """A year's checks of one column: sizes in limits and p-values by kind, each of shape (hours,)."""

    sizes: dict[DriftKind, Floats]
    p_values: dict[DriftKind, Floats]
    kinds: int

    @property
    def p_value(self) -> Floats:
        """The column's p-value at each check, as `measure_feature` has it."""
        least: Floats = np.min(list(self.p_values.values()), axis=0)
        return np.minimum(self.kinds * least, 1.0)

    def drifts(self, rejected: Floats) -> Booleans:
        """Find the checks at which it drifts, by the rule of `judge_feature`."""
        return self._in_any_kind(rejected, lambda is_large, is_significant: is_large & is_significant)

    def is_suspect(self, rejected: Floats) -> Booleans:
        """Find the checks at which a kind of it is suspect."""
        return self._in_any_kind(rejected, lambda is_large, is_significant: is_large ^ is_significant)

    @property
    def is_large(self) -> Booleans:
        """The checks at which a kind of it is large."""
        return np.asarray(np.max(list(self.sizes.values()), axis=0) >= 1.0)

    def _in_any_kind(self, rejected: Floats, rule: Callable[[Booleans, Booleans], Booleans]) -> Booleans:
        found = np.zeros(len(rejected), dtype=np.bool_)
        for kind, p_value in self.p_values.items():
            is_significant = (np.minimum(self.kinds * p_value, 1.0) <= rejected) & (self.sizes[kind] > 0.0)
            found |= rule(self.sizes[kind] >= 1.0, is_significant)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Year:
    """One year of one champion's checks: the counts of its reference and of every window, by column."""

    columns: list[SimulatedColumn]
    configuration: ModelConfiguration
    reference: dict[str, Integers]
    windows: dict[str, Integers]
    recent: dict[str, Integers]
    week_before: dict[str, Integers]
    looks: dict[str, Looks] = field(default_factory=dict)
    recent_looks: dict[str, Looks] = field(default_factory=dict)

    @classmethod
    def simulate(cls, rows_an_hour: float, reference_rows: int, seed: int) -> "Year":
        """Simulate a year in which nothing drifts; rows come as a Poisson process."""
        dice, columns = np.random.default_rng(seed), simulated_columns()
        arrivals = dice.poisson(rows_an_hour, _BEFORE + HOURS)
        hour_of = np.repeat(np.arange(len(arrivals)), arrivals)
        year = cls(columns, default_configuration(columns), {}, {}, {}, {})
        ends = np.arange(_BEFORE + 1, _BEFORE + HOURS + 1)
        both = np.append(
            np.zeros(WINDOW_HOURS, dtype=np.bool_),
            (arrivals[WINDOW_HOURS:] > 0) & (arrivals[: HOURS + _BEFORE - WINDOW_HOURS] > 0),
        )
        starts = _recent_starts(arrivals, both, ends, year.configuration.monitoring.min_rows)
        for column in columns:
            total = _total(column, hour_of, dice)
            year.reference[column.name] = dice.multinomial(reference_rows, column.shares)
            year.windows[column.name] = total[ends] - total[ends - WINDOW_HOURS]
            year.looks[column.name] = year._look(column, year.windows[column.name])
            if column.name != SCORE and starts is not None:
                hourly = np.diff(total, axis=0)
                paired = _cumulated(np.where(both[:, np.newaxis], hourly, 0))
                before = _cumulated(np.where(both[:, np.newaxis], np.roll(hourly, WINDOW_HOURS, axis=0), 0))
                year.recent[column.name] = paired[ends] - paired[starts]
                year.week_before[column.name] = before[ends] - before[starts]
                year.recent_looks[column.name] = year._look(column, year.recent[column.name])
        year._look_a_week_before()
        return year

    @property
    def levels(self) -> Floats:
        """The significance level of every check."""
        alpha = self.configuration.monitoring.drift.alpha
        return np.array([level_of(alpha, PROMOTED, PROMOTED + timedelta(hours=hour + 1)) for hour in range(HOURS)])

    @property
    def enough(self) -> Booleans:
        """The checks at which the window has enough rows."""
        return np.asarray(self.windows[SCORE].sum(axis=1) >= self.configuration.monitoring.min_rows)

    @property
    def p_values(self) -> Floats:
        """The p-values of all columns, and of the newest rows of all features, shape (hours, comparisons)."""
        return np.column_stack([looks.p_value for looks in (*self.looks.values(), *self.recent_looks.values())])

    def rejected(self, p_values: Floats) -> Floats:
        """Find the greatest significant p-value of every check."""
        return benjamini_hochberg(p_values, self.levels)

    def drifting(self, rejected: Floats) -> Booleans:
        """Find the features that drift at each check, shape (hours, features)."""
        features = [column.name for column in self.columns if column.name != SCORE]
        found = np.column_stack([self.looks[name].drifts(rejected) for name in features])
        if self.recent_looks:
            found |= np.column_stack([self.recent_looks[name].drifts(rejected) for name in features])
        return found & self.enough[:, np.newaxis]

    def suspect(self, rejected: Floats) -> Booleans:
        """Find the features that are suspect at each check, shape (hours, features)."""
        found = np.column_stack([looks.is_suspect(rejected) for name, looks in self.looks.items() if name != SCORE])
        if self.recent_looks:
            found |= np.column_stack([looks.is_suspect(rejected) for looks in self.recent_looks.values()])
        return found & self.enough[:, np.newaxis] & ~self.drifting(rejected)

    @property
    def has_large(self) -> Booleans:
        """The checks at which a feature, its newest rows or the score differ largely."""
        looks = (*self.looks.values(), *self.recent_looks.values())
        return np.asarray(np.any([found.is_large for found in looks], axis=0) & self.enough)

    def profiles(self, hour: int) -> tuple[Profile, Profile, RecentRows | None]:
        """Build the reference, the window, and the window's newest rows, of one check."""
        window, rows, before = (
            self._profile({name: counts[hour] for name, counts in of.items()}) if of else Profile.empty()
            for of in (self.windows, self.recent, self.week_before)
        )
        recent = RecentRows(rows=rows, week_before=before) if self.recent else None
        return self._profile(self.reference), window, recent

    def _look_a_week_before(self) -> None:
        """Put the difference from both training and week before where that from training is large or significant."""
        found = np.column_stack([looks.p_value for looks in self.recent_looks.values()] or [np.ones(HOURS)])
        is_large = np.column_stack(
            [looks.is_large for looks in self.recent_looks.values()] or [np.zeros(HOURS, np.bool_)]
        )
        for hour in np.flatnonzero((is_large | (found <= self.levels[:, np.newaxis])).any(axis=1)):
            reference, _, recent = self.profiles(int(hour))
            for name, measured in measure_recent(reference, recent, self.configuration).items() if recent else ():
                looks = self.recent_looks[name]
                for kind in looks.sizes:
                    looks.sizes[kind][hour] = measured.kinds[kind].size / measured.kinds[kind].limit
                    looks.p_values[kind][hour] = measured.kinds[kind].p_value

    def _profile(self, counts: dict[str, Integers]) -> Profile:
        columns = {
            column.name: _profile(column, counts[column.name]) for column in self.columns if column.name in counts
        }
        score = columns.pop(SCORE, ColumnProfile.empty(FeatureType.NUMERIC))
        return Profile(rows=max(column.rows for column in columns.values()), features=columns, score=score)

    def _look(self, column: SimulatedColumn, served: Integers) -> Looks:
        monitoring, trained = self.configuration.monitoring, self.reference[column.name]
        kinds = {DriftKind.MISSING: missing_drift(trained, served)}
        if column.kind is FeatureType.NUMERIC:
            size, p_value = number_drift(trained[:-1], served[:, :-1])
        else:
            size, p_value = category_drift(trained[:-1], served[:, :-1])
        if column.kind is FeatureType.CATEGORICAL:
            kinds[DriftKind.UNSEEN] = unseen_drift(trained[:-1], served[:, :-1])
        return Looks(
            sizes={
                DriftKind.DISTRIBUTION: size / monitoring.drift.threshold,
                **{kind: change / monitoring.data_quality.threshold for kind, (change, _) in kinds.items()},
            },
            p_values={DriftKind.DISTRIBUTION: p_value, **{kind: chance for kind, (_, chance) in kinds.items()}},
            kinds=len(kinds) + 2,  # with the distribution, and invalid values, of which there are none
        )


def _total(column: SimulatedColumn, hour_of: Integers, dice: np.random.Generator) -> Integers:
    """Count all rows before each hour, shape (hours + 1, values)."""
    values = np.searchsorted(np.cumsum(column.shares)[:-1], dice.random(len(hour_of)), side="right")
    width, hours = len(column.shares), HOURS + _BEFORE
    return _cumulated(np.bincount(hour_of * width + values, minlength=hours * width).reshape(hours, width))


def _cumulated(hourly: Integers) -> Integers:
    """Cumulate the counts before each hour, shape (hours + 1, values)."""
    total = np.zeros((len(hourly) + 1, hourly.shape[1]), dtype=np.int64)
    np.cumsum(hourly, axis=0, out=total[1:])
    return total


def _recent_starts(arrivals: Integers, both: Booleans, ends: Integers, least: int) -> Integers | None:
    """Find the starts of the newest rows of every check, as `select_recent_rows` takes them; None for too many.

    ``both`` are the hours that have rows, and had a week before.
    """
    before = np.append(0, np.cumsum(arrivals))
    starts = ends
    for rows in (arrivals, np.roll(arrivals, WINDOW_HOURS)):
        taken = np.append(0, np.cumsum(np.where(both, rows, 0)))
        starts = np.minimum(starts, np.searchsorted(taken, taken[ends] - least, side="right") - 1)
    few = 2 * (before[ends] - before[starts]) <= before[ends] - before[ends - WINDOW_HOURS]
    return starts if few.all() else None


def _profile(column: SimulatedColumn, counts: Integers) -> ColumnProfile:
    rows, missing = int(counts.sum()), int(counts[-1])
    if column.kind is FeatureType.NUMERIC:
        values = np.repeat(np.arange(len(counts) - 1, dtype=np.float64), counts[:-1])
        sketch = NumberSketch.of(values, _EXACT)
        return ColumnProfile(kind=column.kind, rows=rows, missing=missing, invalid=0, numbers=sketch)
    texts = CategorySketch.of(dict(_named(counts)))
    return ColumnProfile(kind=column.kind, rows=rows, missing=missing, invalid=0, categories=texts)


def _named(counts: Integers) -> Iterator[tuple[str, int]]:
    yield from ((str(place), int(count)) for place, count in enumerate(counts[:-1]) if count)
