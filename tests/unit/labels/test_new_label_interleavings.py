"""Notes, sums and counts of new labels between any two steps of each other."""

from datetime import datetime
from functools import partial

import pytest

from hindsight.labels.archiving.new_label_counts import HOUR
from hindsight.labels.archiving.new_labels import SETTLES_AFTER, NewLabels
from tests.unit.labels.new_label_changes import START, LabelArrival, everything, note
from tests.unit.labels.new_label_stores import Interrupted

EARLY = [LabelArrival(f"early {number}", START, START, START + number * HOUR) for number in range(3)]
LATE = [LabelArrival(f"late {number}", START, START, START + number * HOUR) for number in range(3)]
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
