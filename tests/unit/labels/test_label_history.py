"""What a stack held before new labels were noted is counted once, whatever was noted since."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.labels.label_history import LabelHistory
from shared.labels.new_labels import NewLabels
from tests.fakes.lake import InMemoryLake
from tests.fakes.new_labels import InMemoryNewLabels
from tests.unit.labels.new_label_oracle import count_new_labels
from tests.unit.labels.test_new_labels import DAY, HOUR, MANY, MINUTE, SPAN, START, WINDOW, Told, lake_of, note, told


@MANY
@given(told(), st.data(), st.integers(0, SPAN), st.integers(0, 6 * 24))
def test_past_and_present_together_are_counted_as_the_rows_are(
    changes: list[Told], data: st.DataObject, since: int, settled: int
) -> None:
    upgraded = data.draw(st.integers(0, len(changes)))
    store, lake = InMemoryNewLabels(), lake_of(changes)
    counted, history = NewLabels(store), LabelHistory(lake, store)
    note(counted, [changes[upgraded:]])
    if data.draw(st.booleans()):
        counted.settle("bike", START + settled * HOUR)
    while not history.count("bike", START - DAY, iter([True, False, False, False]).__next__):
        pass
    counted.settle("bike", START + settled * HOUR)
    last, now = START + since * MINUTE, START + 2 * SPAN * MINUTE
    rows = count_new_labels(lake, "bike", since=last, as_of=now, window=WINDOW)
    edges = sum(max(found.known, found.due).replace(second=0, microsecond=0) == last for found in changes)
    assert abs(counted.count("bike", since=last, as_of=now, window=WINDOW) - rows) <= edges


def test_once_all_is_counted_the_lake_is_read_no_more() -> None:
    store = InMemoryNewLabels()
    assert LabelHistory(InMemoryLake(), store).count("bike", START, lambda: True)
    late = lake_of([Told("a", START, START, START)])
    assert LabelHistory(late, store).count("bike", START, lambda: True)
    assert NewLabels(store).count("bike", since=None, as_of=START + DAY, window=timedelta(days=9)) == 0


def test_days_before_the_window_are_not_read() -> None:
    store = InMemoryNewLabels()
    lake = lake_of([Told("old", START, START, START), Told("new", START + 5 * DAY, START, START)])
    assert LabelHistory(lake, store).count("bike", START + 3 * DAY, lambda: True)
    assert [day for _, day in store.past] == [(START + 5 * DAY).date()]
