"""Joins under races, crashes and limits of entities."""

import pytest

from hindsight.config.store import ConfigurationRevision
from hindsight.labels.disposition import Disposition
from hindsight.labels.history import label_at
from hindsight.labels.joining.join import JoinCount
from hindsight.labels.plan import MATCH_TIMEOUT, plan_join
from hindsight.labels.resolve import PENDING
from tests.unit.labels.builders import (
    DEMAND,
    EXPOSED_DEFAULT,
    MODEL,
    THUMB,
    at,
    event,
    key,
)
from tests.unit.labels.joining import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_outcome_becomes_a_label_known_when_it_was_received(bench: Bench) -> None:
    bench.predict()

    report = bench.joiner.join([event("demand", 150, received=2)])

    assert bench.history() == [(1, "final", at(2))]
    assert report.counts[MODEL] == {JoinCount.JOINED: 1, JoinCount.LABELS: 1}


def test_a_redelivered_event_is_attached_once(bench: Bench) -> None:
    bench.predict()
    bench.joiner.join([event("demand", 150)])
    before = bench.collection()

    report = bench.joiner.join([event("demand", 150), event("demand", 150)])

    assert bench.collection() == before
    assert report.counts[MODEL] == {JoinCount.DUPLICATE: 2}


def test_a_conflicting_body_is_set_aside_and_the_first_received_stays(bench: Bench) -> None:
    bench.predict()
    first = event("demand", 150, feedback_id="f", received=2, digest="one")
    second = event("demand", 50, feedback_id="f", received=3, digest="two")

    report = bench.joiner.join([first, second])

    assert bench.history() == [(1, "final", at(2))]
    assert report.counts[MODEL][JoinCount.CONFLICTING] == 1
    assert [row["event"]["value"] for row in bench.quarantined()] == [50]


def test_the_first_received_stays_also_when_it_is_joined_last(bench: Bench) -> None:
    bench.predict()
    first = event("demand", 150, feedback_id="f", received=2, digest="one")
    second = event("demand", 50, feedback_id="f", received=3, digest="two")

    bench.joiner.join([second])
    bench.joiner.join([first])

    assert label_at(bench.collection().labels, at(9)).value == 1
    assert [row["event"]["value"] for row in bench.quarantined()] == [50]


def test_early_feedback_is_pending_and_joined_when_its_prediction_comes(bench: Bench) -> None:
    report = bench.joiner.join([event("demand", 150, received=2)])
    assert report.counts[MODEL] == {JoinCount.PENDING: 1}
    placeholder = bench.collection().head
    assert placeholder is not None
    assert (placeholder.prediction, placeholder.due_at) == (None, at(2) + MATCH_TIMEOUT)

    bench.predict(received_at=at(5))
    bench.joiner.rejoin([key()])

    assert bench.history() == [(1, "final", at(5))]
    assert bench.store.dispositions[key(), "demand-1-150"] is Disposition.PENDING


def test_window_closing_joins_feedback_that_a_crashed_capture_left_pending(bench: Bench) -> None:
    bench.joiner.join([event("demand", 150, received=2)])
    bench.predict()

    bench.joiner.close_windows([key()], at(3))

    assert bench.history() == [(1, "final", at(2))]


def test_early_feedback_is_given_up_on_at_the_limit_and_still_joins_later(bench: Bench) -> None:
    bench.joiner.join([event("demand", 150, received=2)])

    assert bench.joiner.close_windows([key()], at(2) + MATCH_TIMEOUT).counts[MODEL] == {
        JoinCount.UNMATCHED: 1,
        JoinCount.QUARANTINED: 1,
    }
    assert [row["code"] for row in bench.quarantined()] == ["unmatched"]
    assert bench.collection().head.due_at is None  # type: ignore[union-attr]
    bench.predict(received_at=at(500))
    bench.joiner.rejoin([key()])
    assert bench.history() == [(1, "final", at(500))]


def test_the_clock_changes_a_label_at_its_due_time_however_late_it_is_asked() -> None:
    bench = Bench(DEMAND, THUMB, default={"value": 0, "after": "P3D"})
    bench.predict()

    bench.joiner.close_windows([key()], at(1000))

    assert bench.history() == [(0, "provisional", at(72)), (0, "final", at(168))]
    assert bench.collection().head.due_at is None  # type: ignore[union-attr]


def test_a_provisional_label_becomes_final_when_the_window_above_closes(bench: Bench) -> None:
    bench.predict()
    bench.joiner.join([event("thumb", "up")])
    assert bench.collection().head.due_at == at(48)  # type: ignore[union-attr]

    bench.joiner.close_windows([key()], at(48))

    assert bench.history() == [(1, "provisional", at(1)), (1, "final", at(48))]


def test_window_closing_before_anything_is_due_changes_nothing(bench: Bench) -> None:
    bench.predict()
    before = bench.collection()

    bench.joiner.close_windows([key()], at(47))

    assert bench.collection() == before


def test_a_late_outcome_amends_the_default_by_appending() -> None:
    bench = Bench(DEMAND, default=EXPOSED_DEFAULT)
    bench.predict()
    bench.joiner.join([event("exposed")])
    bench.joiner.close_windows([key()], at(168))

    report = bench.joiner.join([event("demand", 150, received=200)])

    assert bench.history() == [(0, "final", at(168)), (1, "final", at(200))]
    assert report.counts[MODEL][JoinCount.LATE] == 1


def test_a_retraction_takes_the_label_back(bench: Bench) -> None:
    bench.predict()
    bench.joiner.join([event("demand", 150, feedback_id="f")])

    bench.joiner.join([event("retracted", "f", hours=3)])

    assert [status for _, status, _ in bench.history()] == ["final", "pending"]


def test_an_event_joined_out_of_turn_corrects_the_history_from_its_own_time(bench: Bench) -> None:
    bench.predict()
    bench.joiner.join([event("annotation", 0, hours=5)])

    bench.joiner.join([event("demand", 150, hours=2)])

    records = bench.collection().labels
    assert label_at(records, at(1)) == PENDING
    assert label_at(records, at(3)).event == "demand"
    assert label_at(records, at(6)).event == "annotation"


def test_a_prediction_with_more_events_than_one_transaction_takes_is_joined_whole(bench: Bench) -> None:
    bench.predict()

    bench.joiner.join(event("demand", number, hours=number / 10) for number in range(130))

    head = bench.collection().head
    assert head is not None
    assert head.feedback_count == 130
    assert label_at(bench.collection().labels, at(99)).value == 1


@pytest.mark.parametrize("early", [True, False])
def test_history_longer_than_one_transaction_is_written_whole(bench: Bench, early: bool) -> None:
    events = [event("annotation", number % 2, hours=number / 60) for number in range(1, 131)]
    steps = [lambda: bench.joiner.join(events), bench.predict]
    for step in steps if early else reversed(steps):
        step()
    bench.joiner.rejoin([key()])

    assert bench.history() == [(number % 2, "final", at(number / 60)) for number in range(1, 131)]


def test_a_history_that_was_cut_short_by_a_crash_goes_on_by_the_clock(bench: Bench) -> None:
    events = [event("annotation", number % 2, hours=number / 60) for number in range(1, 71)]
    bench.joiner.join(events)
    bench.predict()
    (collection,) = bench.store.load([key()])
    plan = plan_join(collection, (), ConfigurationRevision(1, bench.configuration))
    bench.store.commit([plan])
    assert plan.is_unfinished
    assert len(bench.history()) == 50

    bench.joiner.close_windows([key()], at(2))

    assert bench.history() == [(number % 2, "final", at(number / 60)) for number in range(1, 71)]
