"""New labels in memory, judged by the same contract suite as DynamoNewLabels."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from hindsight.labels.archiving.new_labels import HOUR, Arrivals, DayCounts


class InMemoryNewLabels:
    """Arrivals in a set, counts in a dictionary."""

    def __init__(self) -> None:
        self.noted: set[Arrivals] = set()
        self.counts: dict[tuple[str, date], DayCounts] = {}
        self.marks: dict[str, datetime] = {}

    def note(self, arrivals: Sequence[Arrivals]) -> None:
        self.noted.update(arrivals)

    def arrivals(self, model: str, since: datetime | None, before: datetime | None = None) -> Iterator[Arrivals]:
        for found in sorted(self.noted, key=lambda noted: (noted.hour, noted.name)):
            if (
                found.model == model
                and (since is None or found.hour >= since)
                and (before is None or found.hour < before)
            ):
                yield found

    def forget(self, arrivals: Sequence[Arrivals]) -> None:
        self.noted.difference_update(arrivals)

    def days(self, model: str, first: date, last: date) -> list[DayCounts]:
        return [self.counts[key] for key in sorted(self.counts) if key[0] == model and first <= key[1] <= last]

    def add(self, model: str, day: date, hour: datetime, minutes: Sequence[int]) -> None:
        held = self.counts.get((model, day))
        if held is None or held.settled_until <= hour:
            before = held.minutes if held else [0] * len(minutes)
            counted = [sum(both) for both in zip(before, minutes, strict=True)]
            self.counts[model, day] = DayCounts(day, hour + HOUR, counted)

    def settled_until(self, model: str) -> datetime | None:
        return self.marks.get(model)

    def mark_settled(self, model: str, until: datetime) -> None:
        self.marks[model] = max(until, self.marks.get(model, until))
