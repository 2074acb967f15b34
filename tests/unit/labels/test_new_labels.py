"""Counts of new labels that are kept, against the rows they were made of."""

import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.core.times import format_time
from hindsight.labels.archiving import new_labels
from hindsight.labels.archiving.new_labels import HOUR, SETTLES_AFTER, Arrivals, NewLabel, NewLabels
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
def test_what_is_settled_is_counted_to_the_minute_however_it_was_delivered(
    data: st.DataObject, changes: list[Told], since: int, as_of: int, settled: int
) -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, data.draw(deliveries(changes)))
    counted.settle("bike", START + settled * HOUR)
    last, now = START + since * MINUTE, START + max(since, as_of) * MINUTE
    rows = count_new_labels(lake_of(changes), "bike", since=last, as_of=now, window=WINDOW)
    edges = sum(max(found.known, found.due).replace(second=0, microsecond=0) in {last, now} for found in changes)
    assert abs(counted.count("bike", since=last, as_of=now, window=WINDOW) - rows) <= edges


@MANY
@given(told(), st.lists(st.integers(0, SPAN), min_size=2, max_size=6))
def test_snapshots_one_after_another_count_every_settled_label_once(changes: list[Told], moments: list[int]) -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, [changes])
    counted.settle("bike", START + 30 * DAY)
    edges = sorted({-1, *moments, SPAN + 1})
    spans = [(START + first * MINUTE, START + last * MINUTE) for first, last in pairwise(edges)]
    total = sum(counted.count("bike", since=first, as_of=last, window=WINDOW) for first, last in spans)
    assert total == len(changes)


@MANY
@given(st.data(), told(), st.lists(st.integers(0, 6 * 24), max_size=4))
def test_settling_again_and_again_or_cut_short_counts_nothing_twice(
    data: st.DataObject, changes: list[Told], ticks: list[int]
) -> None:
    store = Stopping()
    counted = NewLabels(store)
    note(counted, data.draw(deliveries(changes)))
    for tick in [*ticks, *ticks]:
        store.writes_left = data.draw(st.integers(0, 6))
        with suppress(KilledError):
            counted.settle("bike", START + tick * HOUR)
        store.writes_left = 1_000_000
        now = START + 2 * SPAN * MINUTE
        assert counted.count("bike", since=START - MINUTE, as_of=now, window=WINDOW) == len(changes)


@MANY
@given(st.data(), told(), st.lists(st.integers(0, 5 * 24), max_size=6), st.integers(1, 4))
def test_packing_between_deliveries_or_cut_short_changes_no_count(
    data: st.DataObject, changes: list[Told], ticks: list[int], room: int
) -> None:
    store = Stopping()
    counted, taken = NewLabels(store), new_labels.PACKED_ENTRIES
    batches = data.draw(deliveries(changes))
    new_labels.PACKED_ENTRIES = room
    try:
        for number, batch in enumerate(batches):
            note(counted, [batch])
            store.writes_left = data.draw(st.integers(0, 3))
            with suppress(KilledError):
                counted.pack("bike", START + (ticks[number % len(ticks)] if ticks else 0) * HOUR)
            store.writes_left = 1_000_000
    finally:
        new_labels.PACKED_ENTRIES = taken
    assert counted.count("bike", since=START - MINUTE, as_of=START + 2 * SPAN * MINUTE, window=WINDOW) == len(changes)


@MANY
@given(st.data(), told(), st.lists(st.integers(0, 20), max_size=6), st.integers(1, 10))
def test_what_expires_once_it_is_settled_is_counted_once_whatever_fits_together(
    data: st.DataObject, changes: list[Told], ticks: list[int], together: int
) -> None:
    store = InMemoryNewLabels()
    counted, taken = NewLabels(store), new_labels.MAX_TOGETHER
    # Nothing is delivered twice: in an hour that does not fit together it might count twice.
    note(counted, [[found] for found in data.draw(st.permutations(changes))])
    new_labels.MAX_TOGETHER = together
    try:
        for day in [*sorted(ticks), 30, 31]:
            counted.settle("bike", START + day * DAY)
            settled = store.settled_until("bike")
            store.forget([found for found in store.noted if settled is not None and found.hour < settled])
            now = START + 2 * SPAN * MINUTE
            assert counted.count("bike", since=START - MINUTE, as_of=now, window=WINDOW) == len(changes)
    finally:
        new_labels.MAX_TOGETHER = taken


def test_a_large_hour_is_settled_in_little_more_memory_than_its_bytes() -> None:
    store, number = InMemoryNewLabels(), 50_000
    labels = [Told(f"p{found}", START, START, START).label for found in range(number)]
    for first in range(0, number, 2_500):
        # Delivered again from the middle of each batch on: what is told twice counts once.
        store.note(new_labels.arrivals_of(labels[first : first + 2_500]))
        store.note(new_labels.arrivals_of(labels[first + 1_250 : first + 3_750]))
    counted = NewLabels(store)
    tracemalloc.start()
    try:
        counted.settle("bike", START + HOUR + SETTLES_AFTER)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert counted.count("bike", since=START - DAY, as_of=START + DAY, window=WINDOW) == number
    assert peak < 16 * number


def test_an_hour_that_is_over_becomes_one_item() -> None:
    store = InMemoryNewLabels()
    counted = NewLabels(store)
    for number in range(50):
        note(counted, [[Told(f"p{number}", START, START, START + (number % 2) * HOUR)]])
    counted.pack("bike", START + HOUR)
    assert len(list(store.arrivals("bike", START, START + HOUR))) == 1
    assert len(list(store.arrivals("bike", START + HOUR))) == 25
    note(counted, [[Told("late", START, START, START)]])
    counted.pack("bike", START + 2 * HOUR)
    assert len(store.noted) == 2
    assert counted.count("bike", since=START - DAY, as_of=START + DAY, window=WINDOW) == 51


class KilledError(Exception):
    """The worker died."""


class Stopping(InMemoryNewLabels):
    """A store whose user dies after some writes."""

    writes_left = 1_000_000

    def add(self, model: str, day: date, hour: datetime, minutes: Sequence[int]) -> None:
        self._die()
        super().add(model, day, hour, minutes)

    def mark_settled(self, model: str, until: datetime) -> None:
        self._die()
        super().mark_settled(model, until)

    def note(self, arrivals: Sequence[Arrivals]) -> None:
        self._die()
        super().note(arrivals)

    def forget(self, arrivals: Sequence[Arrivals]) -> None:
        self._die()
        super().forget(arrivals)

    def _die(self) -> None:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise KilledError


def test_a_label_that_falls_due_later_counts_when_it_does() -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, [[Told("booking", START, START + 90 * DAY, START)]])
    for settled in (START, START + 5 * DAY):
        counted.settle("bike", settled)
        before, after = START + 90 * DAY - MINUTE, START + 90 * DAY
        assert counted.count("bike", since=START + DAY, as_of=before, window=WINDOW) == 0
        assert counted.count("bike", since=START + DAY, as_of=after, window=WINDOW) == 1
        assert counted.count("bike", since=after, as_of=after + DAY, window=WINDOW) == 0


def test_before_the_first_snapshot_the_window_bounds_the_count() -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, [[Told("old", START, START, START), Told("new", START + 5 * DAY, START, START + 5 * DAY)]])
    assert counted.count("bike", since=None, as_of=START + 6 * DAY, window=3 * DAY) == 1
    assert counted.count("bike", since=None, as_of=START + 6 * DAY, window=7 * DAY) == 2


def test_one_count_reads_no_more_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    store = InMemoryNewLabels()
    for number in range(20):
        store.note(new_labels.arrivals_of([Told(f"p{number}", START, START, START + number * HOUR).label]))
    counted = NewLabels(store)
    monkeypatch.setattr(new_labels, "MAX_ARRIVED", 5)
    assert counted.count("bike", since=START - DAY, as_of=START + DAY, window=WINDOW) == 5
    counted.settle("bike", START + 20 * HOUR + SETTLES_AFTER)
    assert counted.count("bike", since=START - DAY, as_of=START + DAY, window=WINDOW) == 20
