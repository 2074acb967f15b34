"""Up to when labels are all in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.core.times import format_time
from hindsight.label_records.label_completeness import MAX_LABEL_DELAY, SETTLING, complete_until

NOW = datetime(2026, 3, 8, 12, 30, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


def labels(due: datetime, count: int, occurred: datetime = NOW - 2 * HOUR) -> list[dict[str, Any]]:
    return [{"outcome_due_at": format_time(due), "occurred_at": format_time(occurred)} for _ in range(count)]


def hour(moment: datetime) -> str:
    return format_time(moment)[:13]


def test_labels_are_complete_up_to_the_settling_time_if_every_due_prediction_has_a_record() -> None:
    due = {hour(NOW - 5 * HOUR): 3, hour(NOW + HOUR): 9}
    assert complete_until(due, labels(NOW - 5 * HOUR, 3), NOW, WEEK) == NOW - SETTLING


def test_hour_that_lacks_a_record_delays_the_completeness_of_later_hours() -> None:
    due = {hour(NOW - 5 * HOUR): 3, hour(NOW - 7 * HOUR): 2}
    found = [*labels(NOW - 7 * HOUR, 2), *labels(NOW - 5 * HOUR, 2)]
    assert complete_until(due, found, NOW, WEEK) == datetime(2026, 3, 8, 7, tzinfo=UTC)


def test_a_label_that_never_comes_holds_the_others_up_for_a_day_at_most() -> None:
    due = {hour(NOW - 3 * MAX_LABEL_DELAY): 2, hour(NOW - MAX_LABEL_DELAY): 1}
    assert complete_until(due, [], NOW, WEEK) == NOW - MAX_LABEL_DELAY


def test_labels_of_predictions_before_the_window_are_no_sign_of_those_in_it() -> None:
    due = {hour(NOW - 5 * HOUR): 1}
    long_ago = labels(NOW - 5 * HOUR, 4, occurred=NOW - 9 * WEEK)
    assert complete_until(due, long_ago, NOW, WEEK) == datetime(2026, 3, 8, 7, tzinfo=UTC)


def test_due_dates_beyond_the_calendar_are_no_obstacle() -> None:
    assert complete_until({"9999-12-31T23": 1, "2028-02-31T23": 5}, [], NOW, WEEK) == NOW - SETTLING


def test_late_default_is_waited_for_beyond_the_due_outcome() -> None:
    day = timedelta(days=1)
    due = {hour(NOW - 2 * day): 5}
    clicked = labels(NOW - 2 * day, 2)
    assert complete_until(due, clicked, NOW, WEEK) == NOW - SETTLING
    waited = complete_until(due, clicked, NOW, WEEK, last_label_after=2 * day)
    assert waited == datetime(2026, 3, 6, 12, tzinfo=UTC)
