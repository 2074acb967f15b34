"""New labels in memory, judged by the same contract suite as DynamoNewLabels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from hindsight.labels.archiving.new_label_counts import HOUR, Arrivals, DayCounts, HourCounts, StaleHour
from hindsight.labels.archiving.new_label_store import Marks


class InMemoryNewLabels:
    """Arrivals and stale hours in sets, counts in dictionaries."""

    def __init__(self) -> None:
        self.noted: set[Arrivals] = set()
        self.stale_hours: set[StaleHour] = set()
        self.summed: dict[tuple[str, datetime], HourCounts] = {}
        self.counts: dict[tuple[str, date], DayCounts] = {}
        self.kept_marks: dict[str, Marks] = {}

    def note(self, arrivals: Sequence[Arrivals]) -> None:
        self.noted.update(arrivals)

    def arrivals(self, model: str, since: datetime | None, before: datetime | None = None) -> Iterator[Arrivals]:
        for found in sorted(self.noted, key=lambda noted: (noted.hour, noted.name), reverse=True):
            if found.model == model and _is_within(found.hour, since, before):
                yield found

    def marks(self, models: Iterable[str]) -> Mapping[str, Marks]:
        return {model: self.kept_marks[model] for model in models if model in self.kept_marks}

    def advance(self, model: str, *, settled: datetime | None = None, summed: datetime | None = None) -> None:
        kept = self.kept_marks.get(model, Marks())
        if settled is not None:
            kept = replace(kept, settled=max(settled, kept.settled or settled))
        if summed is not None:
            kept = replace(kept, summed=max(summed, kept.summed or summed))
        self.kept_marks[model] = kept

    def mark_stale(self, hours: Sequence[StaleHour]) -> None:
        self.stale_hours.update(hours)

    def stale(self, model: str, since: datetime | None, before: datetime) -> list[StaleHour]:
        found = [one for one in self.stale_hours if one.model == model and _is_within(one.hour, since, before)]
        return sorted(found, key=lambda one: (one.hour, one.name))

    def mark_fresh(self, hours: Sequence[StaleHour]) -> None:
        self.stale_hours.difference_update(hours)

    def hours(self, model: str, since: datetime | None, before: datetime) -> Iterator[HourCounts]:
        for of, hour in sorted(self.summed):
            if of == model and _is_within(hour, since, before):
                yield self.summed[of, hour]

    def keep_hour(self, model: str, counts: HourCounts, before: str | None) -> bool:
        held = self.summed.get((model, counts.hour))
        if (held.version if held else None) != before:
            return False
        self.summed[model, counts.hour] = counts
        return True

    def days(self, model: str, first: date, last: date) -> list[DayCounts]:
        return [self.counts[key] for key in sorted(self.counts) if key[0] == model and first <= key[1] <= last]

    def add(self, model: str, day: date, hour: datetime, minutes: Sequence[int]) -> None:
        held = self.counts.get((model, day))
        if held is None or held.settled_until <= hour:
            before = held.minutes if held else [0] * len(minutes)
            counted = [sum(both) for both in zip(before, minutes, strict=True)]
            self.counts[model, day] = DayCounts(day, hour + HOUR, counted)


def _is_within(hour: datetime, since: datetime | None, before: datetime | None) -> bool:
    return (since is None or hour >= since) and (before is None or hour < before)
