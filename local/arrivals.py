"""What has arrived in the lake, so that a replay can wait for one simulated day before it begins the next."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from local.client import StackClient
from shared.lake import EXAMPLES, PREDICTIONS, day_prefix

PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.02


@dataclass(slots=True)
class Arrivals:
    """The predictions and labels of one model that have reached the lake; each object is read once."""

    client: StackClient
    model: str
    predictions: set[str] = field(default_factory=set)
    labels: dict[str, tuple[int, Any]] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def wait_for_predictions(self, expected: Iterable[str], days: Iterable[date]) -> bool:
        """Return whether every expected prediction arrived in time."""
        wanted, prefixes = set(expected), [day_prefix(PREDICTIONS, self.model, day) for day in days]
        return self._wait(lambda: wanted <= self.predictions, prefixes, self._add_prediction)

    def wait_for_labels(self, expected: Iterable[str], days: Iterable[date]) -> bool:
        """Return whether every expected prediction got a label in time."""
        wanted, prefixes = set(expected), [day_prefix(EXAMPLES, self.model, day) for day in days]
        return self._wait(lambda: wanted <= self.labels.keys(), prefixes, self._add_label)

    def read_labels(self, days: Iterable[date]) -> None:
        """Read what else has arrived on some days."""
        self._read([day_prefix(EXAMPLES, self.model, day) for day in days], self._add_label)

    def _wait(self, complete: Callable[[], bool], prefixes: list[str], add: Callable[[dict[str, Any]], None]) -> bool:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not complete():
            if time.monotonic() > deadline:
                return False
            if not self._read(prefixes, add):
                time.sleep(_PAUSE_SECONDS)
        return True

    def _read(self, prefixes: list[str], add: Callable[[dict[str, Any]], None]) -> int:
        lake = self.client.lake
        fresh = [key for prefix in prefixes for key in lake.keys(prefix) if key not in self._seen]
        for key in fresh:
            for row in lake.read_lines(key):
                add(row)
        self._seen.update(fresh)
        return len(fresh)

    def _add_prediction(self, row: dict[str, Any]) -> None:
        self.predictions.add(row["prediction_id"])

    def _add_label(self, row: dict[str, Any]) -> None:
        known = self.labels.get(row["prediction_id"])
        if known is None or known[0] < row["seq"]:
            self.labels[row["prediction_id"]] = (row["seq"], row["value"])
