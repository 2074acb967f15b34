"""Counts of new labels that are kept, against the rows they were made of."""

import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.core.times import format_time
from hindsight.labels.archiving import new_label_counts, new_labels
from hindsight.labels.archiving.new_label_counts import HOUR, Arrivals, HourCounts, NewLabel, StaleHour, arrivals_of
from hindsight.labels.archiving.new_labels import SETTLES_AFTER, NewLabels
from hindsight.lake.object_store import EXAMPLES, day_prefix
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.predictions.new_labels import InMemoryNewLabels
from tests.unit.labels.new_label_oracle import count_new_labels

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SPAN = 4 * 24 * 60
WINDOW = timedelta(days=30)
MANY = settings(max_examples=150, deadline=None)


@dataclass(frozen=True)
class Told:
    """A prediction's only value: when it came to be known, fell due, and reached the stream."""

    name: str
    known: datetime
    due: datetime
    arrived: datetime

    @property
    def hour(self) -> datetime:
        return self.arrived.replace(minute=0, second=0, microsecond=0)

    @property
    def label(self) -> NewLabel:
        return NewLabel("bike", self.name, self.arrived, max(self.known, self.due))


@st.composite
def told(draw: st.DrawFn) -> list[Told]:
    minutes = st.tuples(st.integers(0, SPAN), st.integers(0, SPAN), st.integers(0, 24 * 60))
    found = draw(st.lists(minutes, max_size=25))
    whole = draw(st.booleans())
    fraction = timedelta(0) if whole else draw(st.sampled_from([timedelta(microseconds=1), timedelta(seconds=59.5)]))
    return [
        Told(f"p{number}", *(START + at * MINUTE + fraction for at in (known, due)), START + (known + lag) * MINUTE)
        for number, (known, due, lag) in enumerate(found)
    ]


@st.composite
def deliveries(draw: st.DrawFn, changes: Sequence[Told]) -> list[list[Told]]:
    """Return batches as streams deliver them: any cut, again in other cuts, several shards in any order."""
    rounds = draw(st.integers(1, 3))
    batches: list[list[Told]] = []
    for _ in range(rounds):
        order = draw(st.permutations(list(changes)))
        cuts = sorted({0, len(order), *draw(st.lists(st.integers(0, len(order)), max_size=5))})
        batches += [order[first:last] for first, last in pairwise(cuts)]
    return draw(st.permutations(batches))


def lake_of(changes: Sequence[Told]) -> InMemoryLake:
    lake = InMemoryLake()
    for number, found in enumerate(changes):
        day = max(found.known, found.due).date()
        times = {"known_at": format_time(found.known), "outcome_due_at": format_time(found.due)}
        row = {"prediction_id": found.name, "seq": 1, "value": 1, **times}
        lake.write_lines(f"{day_prefix(EXAMPLES, 'bike', day)}{number}", [row])
    return lake


def note(counted: NewLabels, batches: Sequence[Sequence[Told]]) -> None:
    for batch in batches:
        counted.note(found.label for found in batch)


@MANY
@given(st.data(), told(), st.integers(0, SPAN), st.integers(0, SPAN))
def test_what_arrived_within_a_day_is_counted_as_the_rows_are_however_it_was_delivered(
    data: st.DataObject, changes: list[Told], since: int, as_of: int
) -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, data.draw(deliveries(changes)))
    for last in (START + since * MINUTE, START + since * MINUTE + timedelta(seconds=1.5)):
        now = START + as_of * MINUTE
        rows = count_new_labels(lake_of(changes), "bike", since=last, as_of=now, window=WINDOW)
        assert counted.count("bike", since=last, as_of=now, window=WINDOW) == (rows if last < now else 0)


@MANY
@given(st.data(), told(), st.integers(0, SPAN), st.integers(0, SPAN), st.integers(0, 6 * 24))
def test_what_is_summed_up_or_settled_is_counted_to_the_minute_however_it_was_delivered(
    data: st.DataObject, changes: list[Told], since: int, as_of: int, condensed: int
) -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, data.draw(deliveries(changes)))
    counted.condense("bike", START + condensed * HOUR)
    last, now = START + since * MINUTE, START + max(since, as_of) * MINUTE
    rows = count_new_labels(lake_of(changes), "bike", since=last, as_of=now, window=WINDOW)
    assert abs(counted.count("bike", since=last, as_of=now, window=WINDOW) - rows) <= edges(changes, last, now)


@MANY
@given(st.data(), told(), st.integers(0, SPAN), st.integers(0, SPAN), st.lists(st.integers(0, 6 * 24), max_size=4))
def test_no_bound_on_what_is_read_takes_from_hours_that_are_summed_up(
    data: st.DataObject, changes: list[Told], since: int, as_of: int, ticks: list[int]
) -> None:
    store = InMemoryNewLabels()
    counted, taken, most = NewLabels(store), new_labels.MAX_READ, data.draw(st.integers(1, 5))
    batches = data.draw(deliveries(changes))
    for number, batch in enumerate(batches):
        note(counted, [batch])
        if number < len(ticks):
            counted.condense("bike", START + ticks[number] * HOUR)
    last, now = START + since * MINUTE, START + max(since, as_of) * MINUTE
    marks = store.marks(["bike"]).get("bike")
    summed = marks.summed if marks else None
    stale = {found.hour for found in store.stale_hours}
    unread = [found for found in changes if summed is None or found.hour >= summed or found.hour in stale]
    span: dict[str, Any] = {"since": last, "as_of": now, "window": WINDOW}
    rows, open_rows = (count_new_labels(lake_of(some), "bike", **span) for some in (changes, unread))
    new_labels.MAX_READ = most
    try:
        found = counted.count("bike", **span)
    finally:
        new_labels.MAX_READ = taken
    # Never more than there are, and short only by what is not summed up.
    allowed = edges(changes, last, now)
    assert rows - open_rows - allowed <= found <= rows + allowed


@MANY
@given(told(), st.integers(0, SPAN), st.integers(1, 30))
def test_of_too_many_that_are_not_summed_up_as_many_as_are_read_are_counted(
    changes: list[Told], since: int, most: int
) -> None:
    counted, taken = NewLabels(InMemoryNewLabels()), new_labels.MAX_READ
    # All of them mature after the snapshot.
    last = START + since * MINUTE
    changes = [Told(one.name, one.known, max(one.due, last + MINUTE), one.arrived) for one in changes]
    note(counted, [changes])
    new_labels.MAX_READ = most
    try:
        found = counted.count("bike", since=last, as_of=START + 2 * SPAN * MINUTE, window=WINDOW)
    finally:
        new_labels.MAX_READ = taken
    assert min(len(changes), most) <= found <= len(changes)


@MANY
@given(told(), st.lists(st.integers(0, SPAN), min_size=2, max_size=6))
def test_snapshots_one_after_another_count_every_settled_label_once(changes: list[Told], moments: list[int]) -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, [changes])
    counted.condense("bike", START + 7 * DAY)
    limits = sorted({-1, *moments, SPAN + 1})
    spans = [(START + first * MINUTE, START + last * MINUTE) for first, last in pairwise(limits)]
    total = sum(counted.count("bike", since=first, as_of=last, window=WINDOW) for first, last in spans)
    assert total == len(changes)


@MANY
@given(st.data(), told(), st.lists(st.integers(0, 6 * 24), max_size=4))
def test_condensing_again_and_again_or_cut_short_counts_nothing_twice(
    data: st.DataObject, changes: list[Told], ticks: list[int]
) -> None:
    store = Stopping()
    counted = NewLabels(store)
    note(counted, data.draw(deliveries(changes)))
    for tick in [*ticks, *ticks]:
        store.writes_left = data.draw(st.integers(0, 12))
        with suppress(KilledError):
            counted.condense("bike", START + tick * HOUR)
        store.writes_left = 1_000_000
        assert everything(counted) == len(changes)


@MANY
@given(st.data(), told(), st.lists(st.integers(0, 5 * 24), max_size=6), st.integers(1, 4))
def test_summing_up_between_deliveries_or_cut_short_changes_no_count(
    data: st.DataObject, changes: list[Told], ticks: list[int], room: int
) -> None:
    store = Stopping()
    counted, taken = NewLabels(store), new_label_counts.MAX_SET
    # Once an hour is settled nothing of it is delivered any more.
    changes = [one for one in changes if one.arrived >= START + (max(ticks, default=0)) * HOUR - SETTLES_AFTER]
    new_label_counts.MAX_SET = room
    told_of = set[str]()
    try:
        for number, batch in enumerate(data.draw(deliveries(changes))):
            note(counted, [batch])
            told_of |= {one.name for one in batch}
            store.writes_left = data.draw(st.integers(0, 100))
            with suppress(KilledError):
                counted.condense("bike", START + (ticks[number % len(ticks)] if ticks else 0) * HOUR)
            store.writes_left = 1_000_000
            assert everything(counted) == len(told_of)
    finally:
        new_label_counts.MAX_SET = taken


@MANY
@given(st.data(), told(), st.lists(st.integers(0, 20), max_size=6), st.integers(1, 10))
def test_what_expires_once_it_is_settled_is_counted_once_whatever_fits_together(
    data: st.DataObject, changes: list[Told], ticks: list[int], together: int
) -> None:
    store = InMemoryNewLabels()
    counted, taken = NewLabels(store), new_label_counts.MAX_TOGETHER
    # Nothing is delivered twice: in an hour that does not fit together it might count twice.
    note(counted, [[found] for found in data.draw(st.permutations(changes))])
    new_label_counts.MAX_TOGETHER = together
    try:
        for day in [*sorted(ticks), 30, 31, 32, 33, 34]:
            counted.condense("bike", START + day * DAY)
            marks = store.marks(["bike"]).get("bike")
            if marks is not None and marks.settled is not None:
                store.noted = {found for found in store.noted if found.hour >= marks.settled}
                store.summed = {key: found for key, found in store.summed.items() if key[1] >= marks.settled}
            assert everything(counted) == len(changes)
    finally:
        new_label_counts.MAX_TOGETHER = taken


EARLY = [Told(f"early {number}", START, START, START + number * HOUR) for number in range(3)]
LATE = [Told(f"late {number}", START, START, START + number * HOUR) for number in range(3)]
LATER = START + 2 * HOUR


@pytest.mark.parametrize("step", range(40))
@pytest.mark.parametrize("others", [1, 2])
def test_a_batch_noted_between_any_two_steps_of_condensing_is_counted(step: int, others: int) -> None:
    """With a second worker that condenses the same hours right after the batch, or without."""
    store = Interrupted()
    counted = NewLabels(store)
    note(counted, [EARLY])
    store.interrupt(step, [partial(note, counted, [LATE]), partial(counted.condense, "bike", LATER)][:others])
    counted.condense("bike", LATER)
    store.run_rest()
    assert everything(counted) == 6
    counted.condense("bike", LATER)
    assert everything(counted) == 6
    counted.condense("bike", LATER + SETTLES_AFTER + 2 * HOUR)
    assert not store.stale_hours
    assert everything(counted) == 6


@pytest.mark.parametrize("step", range(12))
@pytest.mark.parametrize("sealed", [0, 1, 2])
def test_hours_summed_up_between_any_two_steps_of_a_note_lose_nothing(step: int, sealed: int) -> None:
    store = Interrupted()
    counted = NewLabels(store)
    note(counted, [EARLY])
    counted.condense("bike", START + sealed * HOUR)
    store.interrupt(step, [partial(counted.condense, "bike", LATER)])
    note(counted, [LATE])
    store.run_rest()
    assert everything(counted) == 6
    counted.condense("bike", LATER + SETTLES_AFTER + 2 * HOUR)
    assert everything(counted) == 6


@pytest.mark.parametrize("until", [LATER, LATER + SETTLES_AFTER, LATER + SETTLES_AFTER + 2 * HOUR])
@pytest.mark.parametrize("before", [START, LATER])
@pytest.mark.parametrize("step", range(20))
def test_a_count_that_is_read_while_hours_are_condensed_sees_every_label_once(
    step: int, before: datetime, until: datetime
) -> None:
    store = Interrupted()
    counted = NewLabels(store)
    note(counted, [EARLY])
    counted.condense("bike", before)
    note(counted, [LATE])
    store.interrupt(step, [partial(counted.condense, "bike", until)])
    assert everything(counted) == 6


@pytest.mark.parametrize("step", range(60))
def test_a_count_between_any_two_steps_of_condensing_sees_every_label_once(step: int) -> None:
    store = Interrupted()
    counted, seen = NewLabels(store), list[int]()
    note(counted, [EARLY])
    counted.condense("bike", START + HOUR)
    note(counted, [LATE])
    store.interrupt(step, [lambda: seen.append(everything(counted))])
    counted.condense("bike", LATER + SETTLES_AFTER + 2 * HOUR)
    store.run_rest()
    assert seen == [6]


def test_a_busy_model_counts_all_that_is_new_since_its_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two labels a minute, two hundred read at most: what came after a day's first counted as nothing."""
    monkeypatch.setattr(new_labels, "MAX_READ", 200)
    store = InMemoryNewLabels()
    counted = NewLabels(store)
    for minute in range(26 * 60):
        at = START + minute * MINUTE
        note(counted, [[Told(f"{minute}-{number}", at, at, at) for number in range(2)]])
        if minute % 60 == 36:
            counted.condense("bike", at)
    now = START + 26 * HOUR
    for minutes in (25 * 60, 13 * 60, 60, 20, 1):
        assert counted.count("bike", since=now - (minutes + 1) * MINUTE, as_of=now, window=WINDOW) == 2 * minutes


def test_a_large_hour_is_summed_up_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    store, number = InMemoryNewLabels(), 50_000
    labels = [Told(f"p{found}", START, START, START).label for found in range(number)]
    for first in range(0, number, 2_500):
        # Delivered again from the middle of each batch on: what is told twice counts once.
        store.note(arrivals_of(labels[first : first + 2_500]))
        store.note(arrivals_of(labels[first + 1_250 : first + 3_750]))
    monkeypatch.setattr(new_label_counts, "MAX_SET", 1_000)
    counted = NewLabels(store)
    tracemalloc.start()
    try:
        counted.condense("bike", START + HOUR + SETTLES_AFTER)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert counted.count("bike", since=START - DAY, as_of=START + DAY, window=WINDOW) == number
    assert peak < 16 * number


def test_of_hours_that_are_over_a_count_reads_no_arrivals() -> None:
    store = Interrupted()
    counted = NewLabels(store)
    for number in range(50):
        note(counted, [[Told(f"p{number}", START, START, START + (number % 2) * HOUR)]])
    counted.condense("bike", START + HOUR)
    assert everything(counted) == 50
    assert {found.hour for found in store.read} == {START, START + HOUR}
    store.read.clear()
    assert everything(counted) == 50
    assert {found.hour for found in store.read} == {START + HOUR}
    note(counted, [[Told("late", START, START, START)]])
    store.read.clear()
    assert everything(counted) == 51
    assert {found.hour for found in store.read} == {START, START + HOUR}


def everything(counted: NewLabels) -> int:
    return counted.count("bike", since=START - MINUTE, as_of=START + 2 * SPAN * MINUTE, window=WINDOW)


def edges(changes: Sequence[Told], *moments: datetime) -> int:
    """Count the labels that mature in the minute of a moment: counts by the minute may take them for either side."""
    return sum(max(found.known, found.due).replace(second=0, microsecond=0) in moments for found in changes)


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


def test_a_label_that_falls_due_later_counts_when_it_does() -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, [[Told("booking", START, START + 90 * DAY, START)]])
    for condensed in (START, START + HOUR, START + 5 * DAY):
        counted.condense("bike", condensed)
        before, after = START + 90 * DAY - MINUTE, START + 90 * DAY
        assert counted.count("bike", since=START + DAY, as_of=before, window=WINDOW) == 0
        assert counted.count("bike", since=START + DAY, as_of=after, window=WINDOW) == 1
        assert counted.count("bike", since=after, as_of=after + DAY, window=WINDOW) == 0


def test_before_the_first_snapshot_the_window_bounds_the_count() -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, [[Told("old", START, START, START), Told("new", START + 5 * DAY, START, START + 5 * DAY)]])
    assert counted.count("bike", since=None, as_of=START + 6 * DAY, window=3 * DAY) == 1
    assert counted.count("bike", since=None, as_of=START + 6 * DAY, window=7 * DAY) == 2


def test_one_count_reads_no_more_than_its_bound_and_the_newest_hours_first(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Interrupted()
    for number in range(20):
        store.note(arrivals_of([Told(f"p{number}", START, START, START + number * HOUR).label]))
    counted = NewLabels(store)
    monkeypatch.setattr(new_labels, "MAX_READ", 5)
    assert everything(counted) == 5
    assert [found.hour for found in store.read] == [START + number * HOUR for number in range(19, 14, -1)]
    counted.condense("bike", START + 18 * HOUR)
    assert everything(counted) == 20
    counted.condense("bike", START + 20 * HOUR + SETTLES_AFTER)
    assert everything(counted) == 20


def test_of_a_late_batch_too_large_to_read_the_counts_of_its_hour_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, [[Told(f"p{number}", START, START, START)] for number in range(10)])
    counted.condense("bike", START + HOUR)
    note(counted, [[Told("late", START, START, START)]])
    assert everything(counted) == 11
    monkeypatch.setattr(new_labels, "MAX_READ", 5)
    assert everything(counted) == 10
    counted.condense("bike", START + HOUR)
    assert everything(counted) == 11


def test_hours_too_large_for_one_check_are_summed_up_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    store = InMemoryNewLabels()
    counted = NewLabels(store)
    note(counted, [[Told(f"p{number}", START, START, START + number * HOUR)] for number in range(4)])
    monkeypatch.setattr(new_labels, "MAX_TOGETHER", 2)
    for summed in (2, 4):
        counted.condense("bike", START + 4 * HOUR)
        assert len(list(store.hours("bike", None, START + 4 * HOUR))) == summed
        assert everything(counted) == 4
