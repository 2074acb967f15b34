"""New labels since the last snapshot: noted where label records are archived, counted without the lake.

Every batch of the table's stream leaves an item for each model and hour: which labels became new, and when they mature.
The hour is when the table took the change, which a redelivery does not alter, so that a label is noted under one hour
however often and however cut its batch arrives. The truth about an hour is the set of its entries. Its counts by the
minute are made of that set once the hour is over, so that a count reads numbers instead of entries: they are a cache.
A worker that adds to a counted set records it (``StaleHour``), after the addition and before the batch counts as
done: such an hour is counted by its set until its counts are made again. Once the stream cannot deliver an hour again,
its counts are added to those of the days its labels mature on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain, groupby, islice
from operator import attrgetter

from hindsight.core.times import format_time, hour_of, microseconds, moment_of
from hindsight.labels.archiving.new_label_counts import (
    HOUR,
    MAX_TOGETHER,
    Arrivals,
    DayCounts,
    NewLabel,
    StaleHour,
    arrivals_of,
    count_between,
    counts_of,
    day_of,
    distinct_moments,
    first_between,
)
from hindsight.labels.archiving.new_label_store import Marks, NewLabelStore

# A stream keeps a record for a day; an invocation that began with it may take a little longer.
SETTLES_AFTER = timedelta(hours=26)
# An outcome is due ten years after its prediction at the latest.
_LATEST = timedelta(days=3660)
# Hours that are summed up, or settled, in one call; the rest is left for the next.
MAX_HOURS = 200
# Entries that one count reads of hours that are not summed up: 32 MB, some ten seconds of the function that answers
# operators. At worst such hours are 96 minutes, from one hourly check to the next: 350 labels a second of one model.
MAX_READ = 2_000_000


@dataclass(frozen=True, slots=True)
class UpcomingLabels:
    """The labels that are known and not due yet, and the minute in which the first of them is."""

    labels: int
    next_due_at: datetime | None

    def __str__(self) -> str:
        """Describe how many there are, and when the first is due."""
        if self.next_due_at is None:
            return "none that is known is due later"
        return f"{self.labels} more are known and not due yet, the first at {format_time(self.next_due_at)}"


@dataclass(frozen=True, slots=True)
class NewLabels:
    """The notes, sums and count of models' new labels."""

    store: NewLabelStore

    def note(self, labels: Iterable[NewLabel]) -> None:
        """Note new labels. Noting them again, together or apart, changes nothing."""
        arrivals = arrivals_of(labels)
        self.store.note(arrivals)
        # Only now: the worker that advances the mark after this read sees the note above when it reads the hour.
        marks = self.store.marks({found.model for found in arrivals})
        late = [found for found in arrivals if _is_before(found.hour, marks.get(found.model, Marks()).summed)]
        self.store.mark_stale([StaleHour(found.model, found.hour, found.name) for found in late])

    def count(self, model: str, *, since: datetime | None, as_of: datetime, window: timedelta) -> int:
        """Count the labels known and due by ``as_of`` that became so after ``since``; before the first snapshot, all
        that did within ``window``.

        Exact for what arrived within the last hour, to the minute for what is summed up or settled. Of hours that are
        not summed up ``MAX_READ`` entries are read and a few more, of the newest hours: beyond, the count is too low
        by those it did not read, until they are summed up.
        """
        after = since if since is not None else as_of - window
        marks = self._marks(model)
        # Hours are counted by their sets, their own counts or the days', in this order of moving and this one of
        # reading: marks first, and an hour that a day has got meanwhile is still where it was.
        days = {found.day: found for found in self.store.days(model, _day(after), _day(as_of))}
        stale = {found.hour for found in self._stale(model, marks)}
        by_set = dict(self._count_sets(self._sets(model, marks, stale), days, after, as_of))
        counted = sum(found.between(after, as_of) for found in days.values()) + sum(by_set.values())
        if marks.summed is None:
            return counted
        for found in self.store.hours(model, marks.settled, marks.summed):
            summed = sum(
                count_between(day, minutes, after, as_of)
                for day, minutes in found.days.items()
                if not _has(days.get(day), found.hour)
            )
            # Of a set that was too large to be read whole the hour's counts may know more.
            counted += max(summed - by_set.get(found.hour, 0), 0)
        return counted

    def upcoming(self, model: str, as_of: datetime) -> UpcomingLabels:
        """Count the labels that are known and fall due after ``as_of``, and find the first of them; to the minute."""
        until = as_of + _LATEST
        labels = self.count(model, since=as_of, as_of=until, window=_LATEST)
        return UpcomingLabels(labels, self._first_due(model, as_of, until) if labels else None)

    def condense(self, model: str, now: datetime) -> None:
        """Sum up the hours that are over by ``now``, and settle those that cannot be delivered again.

        May stop anywhere and be done again, by several workers at once; no count changes by more than a minute's edge.
        """
        self._sum_up(model, hour_of(now))
        self._settle(model, hour_of(now - SETTLES_AFTER))

    def _sum_up(self, model: str, until: datetime) -> None:
        marks = self._marks(model)
        first = marks.summed or self._first_hour(model, until)
        until = min(until, first + MAX_HOURS * HOUR)
        if first < until:
            # Stale before the mark passes them: no count trusts counts that are not made yet.
            over = [first + number * HOUR for number in range((until - first) // HOUR)]
            self.store.mark_stale([StaleHour(model, hour, "over") for hour in over])
            self.store.advance(model, summed=until)
        stale, read = self._stale(model, Marks(marks.settled, max(first, until))), 0
        for hours in _runs(stale):
            read += self._sum_hours(model, hours, MAX_TOGETHER - read)
            if read >= MAX_TOGETHER:
                return

    def _sum_hours(self, model: str, stale: list[StaleHour], most: int) -> int:
        """Make the counts of hours in a row of their sets; return how many entries were read, ``most`` and an hour's.

        What it does not come to stays stale, and is for the next check.
        """
        first, end, read = stale[0].hour, stale[-1].hour + HOUR, 0
        # In this order: what made an hour stale is in the set that is read now, and counts that another worker made
        # of a larger set since are not replaced.
        versions = {found.hour: found.version for found in self.store.hours(model, first, end)}
        kept = set[datetime]()
        for hour, found in groupby(self.store.arrivals(model, first, end), key=attrgetter("hour")):
            if read >= most:
                # Hours are read from the newest on.
                kept.update(one.hour for one in stale if one.hour <= hour)
                break
            counts, entries = counts_of(hour, found)
            read, version = read + entries, versions.get(hour)
            if counts.version != version and not self.store.keep_hour(model, counts, version):
                kept.add(hour)
        self.store.mark_fresh([one for one in stale if one.hour not in kept])
        return read

    def _settle(self, model: str, until: datetime) -> None:
        marks = self._marks(model)
        until = min(until, marks.summed or until, *(found.hour for found in self._stale(model, marks)))
        for found in islice(self.store.hours(model, marks.settled, until), MAX_HOURS):
            for day in sorted(found.days):
                self.store.add(model, day, found.hour, found.days[day])
            self.store.advance(model, settled=found.hour + HOUR)

    def _sets(self, model: str, marks: Marks, stale: set[datetime]) -> Iterator[Arrivals]:
        """Read the arrivals of hours that have to be counted by their sets, the newest first."""
        summed = [self.store.arrivals(model, hour, hour + HOUR) for hour in sorted(stale, reverse=True)]
        return chain(self.store.arrivals(model, marks.summed or marks.settled), *summed)

    def _count_sets(
        self, arrivals: Iterator[Arrivals], days: Mapping[date, DayCounts], after: datetime, as_of: datetime
    ) -> Iterator[tuple[datetime, int]]:
        """Count, hour by hour, the labels that count, until ``MAX_READ`` entries are read."""
        low, high, read = microseconds(after), microseconds(as_of), 0
        for hour, found in groupby(arrivals, key=attrgetter("hour")):
            parts = []
            for part in found:
                parts.append(part)
                read += len(part)
                if read >= MAX_READ:
                    break
            settled = {day for day, counts in days.items() if _has(counts, hour)}
            new = (moment for moments in distinct_moments(parts) for moment in moments if low < moment <= high)
            yield hour, sum(not settled or day_of(moment) not in settled for moment in new)
            if read >= MAX_READ:
                return

    def _first_due(self, model: str, after: datetime, until: datetime) -> datetime | None:
        marks, low = self._marks(model), microseconds(after)
        days = [(found.day, found.minutes) for found in self.store.days(model, _day(after), _day(until))]
        if marks.summed is not None:
            days += [day for hour in self.store.hours(model, marks.settled, marks.summed) for day in hour.days.items()]
        stale = {found.hour for found in self._stale(model, marks)}
        moments = chain.from_iterable(distinct_moments(list(self._sets(model, marks, stale))))
        first = min((moment for moment in moments if moment > low), default=None)
        found = [first_between(day, minutes, after) for day, minutes in days]
        found.append(None if first is None else moment_of(first))
        return min((moment for moment in found if moment is not None), default=None)

    def _marks(self, model: str) -> Marks:
        return self.store.marks([model]).get(model, Marks())

    def _stale(self, model: str, marks: Marks) -> list[StaleHour]:
        return self.store.stale(model, marks.settled, marks.summed) if marks.summed else []

    def _first_hour(self, model: str, until: datetime) -> datetime:
        """Find the first hour to sum up: the oldest there is, and none that the stream may bring meanwhile after it."""
        oldest = min((found.hour for found in self.store.arrivals(model, None)), default=until)
        return min(oldest, until - SETTLES_AFTER - HOUR)


def _runs(stale: list[StaleHour]) -> Iterator[list[StaleHour]]:
    """Group stale hours whose hours follow each other."""
    run = list[StaleHour]()
    for found in stale:
        if run and found.hour > run[-1].hour + HOUR:
            yield run
            run = []
        run.append(found)
    if run:
        yield run


def _is_before(hour: datetime, mark: datetime | None) -> bool:
    return mark is not None and hour < mark


def _has(counts: DayCounts | None, hour: datetime) -> bool:
    return counts is not None and hour < counts.settled_until


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
