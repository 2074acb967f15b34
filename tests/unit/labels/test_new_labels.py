"""Counts of new labels that are kept, against the rows they were made of."""

from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hindsight.labels.archiving import new_label_counts, new_labels
from hindsight.labels.archiving.new_label_counts import HOUR
from hindsight.labels.archiving.new_labels import SETTLES_AFTER, NewLabels
from hindsight.testing.predictions.new_labels import InMemoryNewLabels
from tests.unit.labels.new_label_changes import (
    DAY,
    MANY,
    MINUTE,
    SPAN,
    START,
    WINDOW,
    LabelArrival,
    deliveries,
    edges,
    everything,
    label_arrivals,
    lake_of,
    note,
)
from tests.unit.labels.new_label_oracle import count_new_labels
from tests.unit.labels.new_label_stores import KilledError, Stopping


@MANY
@given(st.data(), label_arrivals(), st.integers(0, SPAN), st.integers(0, SPAN))
def test_labels_of_a_day_are_counted_as_the_rows_for_any_order_of_delivery(
    data: st.DataObject, changes: list[LabelArrival], since: int, as_of: int
) -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, data.draw(deliveries(changes)))
    for last in (START + since * MINUTE, START + since * MINUTE + timedelta(seconds=1.5)):
        now = START + as_of * MINUTE
        rows = count_new_labels(lake_of(changes), "bike", since=last, as_of=now, window=WINDOW)
        assert counted.count("bike", since=last, as_of=now, window=WINDOW) == (rows if last < now else 0)


@MANY
@given(st.data(), label_arrivals(), st.integers(0, SPAN), st.integers(0, SPAN), st.integers(0, 6 * 24))
def test_summed_and_settled_hours_are_counted_to_the_minute_for_any_order_of_delivery(
    data: st.DataObject, changes: list[LabelArrival], since: int, as_of: int, condensed: int
) -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, data.draw(deliveries(changes)))
    counted.condense("bike", START + condensed * HOUR)
    last, now = START + since * MINUTE, START + max(since, as_of) * MINUTE
    rows = count_new_labels(lake_of(changes), "bike", since=last, as_of=now, window=WINDOW)
    assert abs(counted.count("bike", since=last, as_of=now, window=WINDOW) - rows) <= edges(changes, last, now)


@MANY
@given(
    st.data(),
    label_arrivals(),
    st.integers(0, SPAN),
    st.integers(0, SPAN),
    st.lists(st.integers(0, 6 * 24), max_size=4),
)
def test_limit_on_reads_takes_nothing_from_summed_hours(
    data: st.DataObject, changes: list[LabelArrival], since: int, as_of: int, ticks: list[int]
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
@given(label_arrivals(), st.integers(0, SPAN), st.integers(1, 30))
def test_of_too_many_that_are_not_summed_up_as_many_as_are_read_are_counted(
    changes: list[LabelArrival], since: int, most: int
) -> None:
    counted, taken = NewLabels(InMemoryNewLabels()), new_labels.MAX_READ
    # All of them mature after the snapshot.
    last = START + since * MINUTE
    changes = [LabelArrival(one.name, one.known, max(one.due, last + MINUTE), one.arrived) for one in changes]
    note(counted, [changes])
    new_labels.MAX_READ = most
    try:
        found = counted.count("bike", since=last, as_of=START + 2 * SPAN * MINUTE, window=WINDOW)
    finally:
        new_labels.MAX_READ = taken
    assert min(len(changes), most) <= found <= len(changes)


@MANY
@given(label_arrivals(), st.lists(st.integers(0, SPAN), min_size=2, max_size=6))
def test_snapshots_one_after_another_count_every_settled_label_once(
    changes: list[LabelArrival], moments: list[int]
) -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, [changes])
    counted.condense("bike", START + 7 * DAY)
    limits = sorted({-1, *moments, SPAN + 1})
    spans = [(START + first * MINUTE, START + last * MINUTE) for first, last in pairwise(limits)]
    total = sum(counted.count("bike", since=first, as_of=last, window=WINDOW) for first, last in spans)
    assert total == len(changes)


@MANY
@given(st.data(), label_arrivals(), st.lists(st.integers(0, 6 * 24), max_size=4))
def test_condensing_again_and_again_or_cut_short_counts_nothing_twice(
    data: st.DataObject, changes: list[LabelArrival], ticks: list[int]
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
@given(st.data(), label_arrivals(), st.lists(st.integers(0, 5 * 24), max_size=6), st.integers(1, 4))
def test_summing_up_between_deliveries_or_cut_short_changes_no_count(
    data: st.DataObject, changes: list[LabelArrival], ticks: list[int], room: int
) -> None:
    store = Stopping()
    counted, taken = NewLabels(store), new_label_counts.MAX_SET
    # Once an hour is settled nothing of it is delivered any more.
    changes = [one for one in changes if one.arrived >= START + (max(ticks, default=0)) * HOUR - SETTLES_AFTER]
    new_label_counts.MAX_SET = room
    added = set[str]()
    try:
        for number, batch in enumerate(data.draw(deliveries(changes))):
            note(counted, [batch])
            added |= {one.name for one in batch}
            store.writes_left = data.draw(st.integers(0, 100))
            with suppress(KilledError):
                counted.condense("bike", START + (ticks[number % len(ticks)] if ticks else 0) * HOUR)
            store.writes_left = 1_000_000
            assert everything(counted) == len(added)
    finally:
        new_label_counts.MAX_SET = taken


@MANY
@given(st.data(), label_arrivals(), st.lists(st.integers(0, 20), max_size=6), st.integers(1, 10))
def test_entries_that_expire_after_settlement_are_counted_once(
    data: st.DataObject, changes: list[LabelArrival], ticks: list[int], together: int
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
