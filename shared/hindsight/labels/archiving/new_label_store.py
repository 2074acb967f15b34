"""The store of new labels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from hindsight.labels.archiving.new_label_counts import Arrivals, DayCounts, HourCounts, StaleHour


@dataclass(frozen=True, slots=True)
class Marks:
    """The progress of a model's counts of new labels; None before the first time.

    All arrivals of hours before ``settled`` are in the days' counts. Of hours before ``summed`` the counts of the hour
    are complete, unless a stale hour is kept.
    """

    settled: datetime | None = None
    summed: datetime | None = None


class NewLabelStore(Protocol):
    """The store of new labels. Every read sees all writes that ended before it began."""

    def note(self, arrivals: Sequence[Arrivals]) -> None:
        """Keep arrivals; equal ones are kept once. Raises Unavailable."""

    def arrivals(self, model: str, since: datetime | None, before: datetime | None = None) -> Iterator[Arrivals]:
        """Read the arrivals of the hours from one on and before another, the newest hour first."""

    def marks(self, models: Iterable[str]) -> Mapping[str, Marks]:
        """Read the marks of models that have some."""

    def advance(self, model: str, *, settled: datetime | None = None, summed: datetime | None = None) -> None:
        """Advance one of a model's marks; an earlier hour changes nothing."""

    def mark_stale(self, hours: Sequence[StaleHour]) -> None:
        """Keep that hours are stale; doing it again changes nothing."""

    def stale(self, model: str, since: datetime | None, before: datetime) -> list[StaleHour]:
        """Read which hours are stale, of those from one on and before another, the oldest first."""

    def mark_fresh(self, hours: Sequence[StaleHour]) -> None:
        """Forget stale hours whose counts are complete."""

    def hours(self, model: str, since: datetime | None, before: datetime) -> Iterator[HourCounts]:
        """Read the counts of hours that have some, from one on and before another, the oldest first."""

    def keep_hour(self, model: str, counts: HourCounts, before: str | None) -> bool:
        """Replace an hour's counts if they are of the version ``before``, None for no counts; whether they were."""

    def days(self, model: str, first: date, last: date) -> list[DayCounts]:
        """Read the counts of days that have some, from a first to a last one, both included."""

    def add(self, model: str, day: date, hour: datetime, minutes: Sequence[int]) -> None:
        """Add an hour's arrivals to a day's counts, once: hours before the day's ``settled_until`` are in."""
