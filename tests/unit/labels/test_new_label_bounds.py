"""Bounds on the reads of counts of new labels, and on their labels of a busy model."""

import tracemalloc

import pytest

from hindsight.labels.archiving import new_label_counts, new_labels
from hindsight.labels.archiving.new_label_counts import HOUR, arrivals_of
from hindsight.labels.archiving.new_labels import SETTLES_AFTER, NewLabels
from hindsight.testing.predictions.new_labels import InMemoryNewLabels
from tests.unit.labels.new_label_changes import (
    DAY,
    MINUTE,
    START,
    WINDOW,
    LabelArrival,
    everything,
    note,
)
from tests.unit.labels.new_label_stores import Interrupted


def test_a_busy_model_counts_all_that_is_new_since_its_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two labels a minute, two hundred read at most: what came after a day's first counted as nothing."""
    monkeypatch.setattr(new_labels, "MAX_READ", 200)
    store = InMemoryNewLabels()
    counted = NewLabels(store)
    for minute in range(26 * 60):
        at = START + minute * MINUTE
        note(counted, [[LabelArrival(f"{minute}-{number}", at, at, at) for number in range(2)]])
        if minute % 60 == 36:
            counted.condense("bike", at)
    now = START + 26 * HOUR
    for minutes in (25 * 60, 13 * 60, 60, 20, 1):
        assert counted.count("bike", since=now - (minutes + 1) * MINUTE, as_of=now, window=WINDOW) == 2 * minutes


def test_a_large_hour_is_summed_up_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    store, number = InMemoryNewLabels(), 50_000
    labels = [LabelArrival(f"p{found}", START, START, START).label for found in range(number)]
    for first in range(0, number, 2_500):
        # Delivered again from the middle of each batch on: what is received twice counts once.
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
        note(counted, [[LabelArrival(f"p{number}", START, START, START + (number % 2) * HOUR)]])
    counted.condense("bike", START + HOUR)
    assert everything(counted) == 50
    assert {found.hour for found in store.read} == {START, START + HOUR}
    store.read.clear()
    assert everything(counted) == 50
    assert {found.hour for found in store.read} == {START + HOUR}
    note(counted, [[LabelArrival("late", START, START, START)]])
    store.read.clear()
    assert everything(counted) == 51
    assert {found.hour for found in store.read} == {START, START + HOUR}


def test_a_label_that_falls_due_later_counts_when_it_does() -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(counted, [[LabelArrival("booking", START, START + 90 * DAY, START)]])
    for condensed in (START, START + HOUR, START + 5 * DAY):
        counted.condense("bike", condensed)
        before, after = START + 90 * DAY - MINUTE, START + 90 * DAY
        assert counted.count("bike", since=START + DAY, as_of=before, window=WINDOW) == 0
        assert counted.count("bike", since=START + DAY, as_of=after, window=WINDOW) == 1
        assert counted.count("bike", since=after, as_of=after + DAY, window=WINDOW) == 0


def test_before_the_first_snapshot_the_window_bounds_the_count() -> None:
    counted = NewLabels(InMemoryNewLabels())
    note(
        counted,
        [[LabelArrival("old", START, START, START), LabelArrival("new", START + 5 * DAY, START, START + 5 * DAY)]],
    )
    assert counted.count("bike", since=None, as_of=START + 6 * DAY, window=3 * DAY) == 1
    assert counted.count("bike", since=None, as_of=START + 6 * DAY, window=7 * DAY) == 2


def test_one_count_reads_no_more_than_its_bound_and_the_newest_hours_first(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Interrupted()
    for number in range(20):
        store.note(arrivals_of([LabelArrival(f"p{number}", START, START, START + number * HOUR).label]))
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
    note(counted, [[LabelArrival(f"p{number}", START, START, START)] for number in range(10)])
    counted.condense("bike", START + HOUR)
    note(counted, [[LabelArrival("late", START, START, START)]])
    assert everything(counted) == 11
    monkeypatch.setattr(new_labels, "MAX_READ", 5)
    assert everything(counted) == 10
    counted.condense("bike", START + HOUR)
    assert everything(counted) == 11


def test_hours_too_large_for_one_check_are_summed_up_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    store = InMemoryNewLabels()
    counted = NewLabels(store)
    note(counted, [[LabelArrival(f"p{number}", START, START, START + number * HOUR)] for number in range(4)])
    monkeypatch.setattr(new_labels, "MAX_TOGETHER", 2)
    for summed in (2, 4):
        counted.condense("bike", START + 4 * HOUR)
        assert len(list(store.hours("bike", None, START + 4 * HOUR))) == summed
        assert everything(counted) == 4
