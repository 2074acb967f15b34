"""A day's budget, spent evenly over a stream of predictions of unknown length."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from hindsight.review.selection.diversity import Cell

HOURS = 24
MAX_CELLS = 256
_MIN_SCALE, _MAX_SCALE = 0.25, 4.0
_PRIOR_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The predictions of a UTC day, hour by hour, and its samples.

    ``sampled`` is what of the budget is spent; ``cells`` counts all of the day's samples in the cells that have most.
    """

    day: date
    hours: tuple[int, ...] = (0,) * HOURS
    sampled: int = 0
    cells: Mapping[Cell, int] = field(default_factory=dict)

    def with_rows(self, received: Iterable[datetime]) -> "Day":
        """Count more predictions that were received."""
        counts = Counter(moment.astimezone(UTC).hour for moment in received)
        return replace(self, hours=tuple(seen + counts[hour] for hour, seen in enumerate(self.hours)))

    def with_sampled(self, spent: int, cells: Iterable[Cell]) -> "Day":
        """Count more samples, ``spent`` of them from the budget."""
        counts = Counter(self.cells)
        counts.update(cells)
        return replace(self, sampled=self.sampled + spent, cells=dict(counts.most_common(MAX_CELLS)))

    def to_json(self) -> dict[str, Any]:
        """Convert the day to JSON objects."""
        cells = {",".join(map(str, cell)): count for cell, count in self.cells.items()}
        return {"day": self.day.isoformat(), "hours": list(self.hours), "sampled": self.sampled, "cells": cells}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Day":
        """Read the day that ``to_json`` wrote."""
        cells = {tuple(map(int, cell.split(","))): count for cell, count in row["cells"].items()}
        return cls(day=date.fromisoformat(row["day"]), hours=tuple(row["hours"]), sampled=row["sampled"], cells=cells)


Days = tuple[Day, ...]


def day_of(days: Days, day: date) -> Day | None:
    """Find a day as far as it is known, a new one, or None for a day that is closed.

    The newest two days with predictions are open: shards of a stream are not equally fast, and one that lags brings
    yesterday's after midnight. What is older has been forgotten, so that its budget could be spent twice.
    """
    for known in days:
        if known.day == day:
            return known
    return Day(day=day) if len(days) < 2 or day > days[0].day else None


def with_day(days: Days, day: Day) -> Days:
    """Keep the newest two days, oldest first."""
    others = [known for known in days if known.day != day.day]
    return tuple(sorted([*others, day], key=lambda known: known.day)[-2:])


def rows_to_come(days: Days, today: Day, now: datetime) -> float:
    """Estimate how many predictions the rest of a day is expected to bring, ``now`` included.

    As many as the same hours brought on the day before, scaled by how today's full hours compare; what this hour still
    holds is what it held then less what it has brought. A first day goes on at the rate of its full hours. In the first
    hour there is nothing to go by: 0.
    """
    if any(known.day > today.day for known in days):
        return 0.0
    hour = now.astimezone(UTC).hour
    before = next((known for known in reversed(days) if known.day < today.day), None)
    profile = _first_day(today.hours, hour) if before is None else _as_before(before.hours, today.hours, hour)
    return max(0.0, profile[hour] - today.hours[hour]) + sum(profile[hour + 1 :])


def due(left: int, weights: Sequence[float], rows_after: float, mean_weight: float) -> float:
    """Compute the share of the rest of the budget for rows of some weights: their share of the weight to come.

    By weight and not by number, so that rows that come one by one are weighed as well as those of a large batch.

    >>> due(10, [0.5, 0.5], 8, 0.25)
    3.3333333333333335
    """
    weight = sum(weights)
    return max(0, left) * weight / (weight + max(0.0, rows_after) * mean_weight)


def _as_before(before: Sequence[int], today: Sequence[int], hour: int) -> list[float]:
    prior = _PRIOR_SHARE * sum(before)
    scale = (sum(today[:hour]) + prior) / (sum(before[:hour]) + prior) if prior else 0.0
    bounded = max(_MIN_SCALE, min(_MAX_SCALE, scale))
    return [bounded * rows for rows in before]


def _first_day(today: Sequence[int], hour: int) -> list[float]:
    first = next((index for index, rows in enumerate(today) if rows), hour)
    full = today[first:hour]
    rate = sum(full) / len(full) if full else 0.0
    return [rate] * HOURS
