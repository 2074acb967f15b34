"""Stores of new labels whose user dies, or whose calls other work comes between."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from hindsight.labels.archiving.new_label_counts import Arrivals, HourCounts, StaleHour
from hindsight.testing.predictions.new_labels import InMemoryNewLabels


class KilledError(Exception):
    """The worker died."""


class Stopping(InMemoryNewLabels):
    """A store whose user dies after some writes."""

    writes_left = 1_000_000

    def add(self, model: str, day: date, hour: datetime, minutes: Sequence[int]) -> None:
        self._die()
        super().add(model, day, hour, minutes)

    def advance(self, model: str, *, settled: datetime | None = None, summed: datetime | None = None) -> None:
        self._die()
        super().advance(model, settled=settled, summed=summed)

    def mark_stale(self, hours: Sequence[StaleHour]) -> None:
        for hour in hours:
            self._die()
            super().mark_stale([hour])

    def mark_fresh(self, hours: Sequence[StaleHour]) -> None:
        for hour in hours:
            self._die()
            super().mark_fresh([hour])

    def keep_hour(self, model: str, counts: HourCounts, before: str | None) -> bool:
        self._die()
        return super().keep_hour(model, counts, before)

    def _die(self) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise KilledError


class Interrupted(InMemoryNewLabels):
    """A store in which other work is done before one of its calls, and that knows which arrivals were read."""

    STEPS = frozenset(
        [
            "note",
            "arrivals",
            "marks",
            "advance",
            "mark_stale",
            "stale",
            "mark_fresh",
            "hours",
            "keep_hour",
            "days",
            "add",
        ]
    )

    def __init__(self) -> None:
        super().__init__()
        self.steps_left = -1
        self.work: list[Callable[[], object]] = []
        self.read: list[Arrivals] = []

    def interrupt(self, step: int, work: Sequence[Callable[[], object]]) -> None:
        self.steps_left, self.work = step, list(work)

    def run_rest(self) -> None:
        """Do what is left because there were fewer steps."""
        work, self.work = self.work, []
        for one in work:
            one()

    def arrivals(self, model: str, since: datetime | None, before: datetime | None = None) -> Any:
        for found in list(super().arrivals(model, since, before)):
            self.read.append(found)
            yield found

    def __getattribute__(self, name: str) -> Any:
        if name in Interrupted.STEPS and self.work:
            self.steps_left -= 1
            if self.steps_left < 0:
                self.run_rest()
        return super().__getattribute__(name)
