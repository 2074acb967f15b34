"""Arrivals in the lake, so that a replay can wait for one simulated day before it begins the next."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from hindsight.lake.object_store import LABELS, PREDICTIONS, PROFILES, Lake, day_prefix, keys_between
from hindsight.profiles.logs.hour import decode_profiles

PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.05

Span = tuple[datetime, datetime]


class ProfiledRows(NamedTuple):
    """The rows of an hour's profiles when they had a tag."""

    tag: str
    rows: int


@dataclass(slots=True)
class Arrivals:
    """The predictions and labels of one model that have reached the lake; each object is read once."""

    lake: Lake
    model: str
    predictions: set[str] = field(default_factory=set)
    labels: dict[str, tuple[int, Any]] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _profiled: dict[str, ProfiledRows] = field(default_factory=dict)
    _days: set[date] = field(default_factory=set)

    def wait_for_predictions(self, expected: Iterable[str], span: Span) -> bool:
        """Wait for every expected prediction; a span holds the days they occurred on."""
        wanted = set(expected)
        first, last = (moment.astimezone(UTC).date() for moment in span)
        self._days.update(first + timedelta(days=number) for number in range((last - first).days + 1))
        return self._wait(lambda: wanted <= self.predictions, PREDICTIONS, span, self._add_prediction)

    def wait_for_profiles(self) -> bool:
        """Wait for all arrived predictions to be in hourly profiles, which checks read.

        Looks at the days of the predictions waited for since the last time.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (complete := self._read_profiles()) and time.monotonic() <= deadline:
            time.sleep(_PAUSE_SECONDS)
        self._days.clear()
        return complete

    def wait_for_labels(self, expected: Iterable[str], span: Span) -> bool:
        """Wait for every expected prediction's label; a span holds the days they became known."""
        wanted = set(expected)
        return self._wait(lambda: wanted <= self.labels.keys(), LABELS, span, self._add_label)

    def read_labels(self, span: Span) -> None:
        """Read what else has arrived in a span."""
        self._read(LABELS, span, self._add_label)

    def _read_profiles(self) -> bool:
        for day in self._days:
            for key, tag in self.lake.tags(day_prefix(PROFILES, self.model, day)):
                if key not in self._profiled or self._profiled[key].tag != tag:
                    content, now = self.lake.read_tagged(key)
                    rows = sum(profile.rows for profile in decode_profiles(content).values())
                    self._profiled[key] = ProfiledRows(now, rows)
        return sum(found.rows for found in self._profiled.values()) >= len(self.predictions)

    def _wait(self, complete: Callable[[], bool], kind: str, span: Span, add: Callable[[dict[str, Any]], None]) -> bool:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not complete():
            if time.monotonic() > deadline:
                return False
            if not self._read(kind, span, add):
                time.sleep(_PAUSE_SECONDS)
        return True

    def _read(self, kind: str, span: Span, add: Callable[[dict[str, Any]], None]) -> int:
        fresh = [key for key in keys_between(self.lake, kind, self.model, *span) if key not in self._seen]
        for key in fresh:
            for row in self.lake.read_lines(key):
                add(row)
        self._seen.update(fresh)
        return len(fresh)

    def _add_prediction(self, row: dict[str, Any]) -> None:
        self.predictions.add(row["prediction_id"])

    def _add_label(self, row: dict[str, Any]) -> None:
        known = self.labels.get(row["prediction_id"])
        if known is None or known[0] < row["seq"]:
            self.labels[row["prediction_id"]] = (row["seq"], row["value"])
