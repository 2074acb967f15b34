from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.core.times import format_time
from hindsight.monitoring.label_health.label_freshness import (
    MIN_ALARM_SECONDS,
    LabelFreshness,
    due_hour,
    label_freshness,
    label_freshness_measurements,
)
from local.template import load_template

NOW = datetime(2026, 3, 8, 12, 30, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


def label(*, known: datetime, due: datetime | None = None, **changes: Any) -> dict[str, Any]:
    due = due or known
    row = {"value": 1, "kind": "outcome", "known_at": format_time(known), "outcome_due_at": format_time(due)}
    return {**row, "occurred_at": format_time(due - HOUR), **changes}


def due(*moments: datetime) -> dict[str, int]:
    return Counter(due_hour(format_time(moment)) for moment in moments)


def found(due_by_hour: dict[str, int], *labels: dict[str, Any]) -> LabelFreshness:
    return label_freshness(due_by_hour, labels, NOW, WEEK)


def test_model_without_due_labels_is_not_stale() -> None:
    assert found({}) == LabelFreshness(due=0, waiting=0, seconds=0.0)
    assert found(due(NOW + HOUR, NOW - 10 * timedelta(minutes=1))).waiting == 0  # its hour is not over


def test_predictions_that_have_their_label_do_not_wait() -> None:
    old = NOW - 5 * HOUR
    assert found(due(old), label(known=old)) == LabelFreshness(due=1, waiting=0, seconds=0.0)


def test_a_prediction_waits_from_the_end_of_its_hour_where_no_label_ever_came() -> None:
    waiting = found(due(NOW - 5 * HOUR, NOW - 3 * HOUR))
    assert waiting.waiting == 2
    assert waiting.seconds == 4.5 * 3600  # due at 07:30: from 08:00 on


def test_while_some_wait_the_age_is_that_of_the_newest_label() -> None:
    newest = label(known=NOW - 2 * HOUR, due=NOW - 6 * HOUR)
    assert found(due(NOW - 6 * HOUR, NOW - 5 * HOUR), newest).seconds == 2 * 3600


def test_old_labels_are_not_stale_before_anything_else_was_due() -> None:
    newest = label(known=NOW - 100 * HOUR)
    assert found(due(NOW - 100 * HOUR, NOW - 2 * HOUR), newest).seconds == 1.5 * 3600


@pytest.mark.parametrize("silent", [{"kind": "default"}, {"value": None, "kind": None}])
def test_labels_decided_by_the_clock_do_not_count_as_fresh(silent: dict[str, Any]) -> None:
    moment = NOW - 30 * HOUR
    late = label(known=NOW - HOUR, due=moment, **silent)
    assert found(due(moment), late).seconds == pytest.approx(29.5 * 3600)


def test_labels_of_predictions_before_the_window_are_not_taken_for_those_in_it() -> None:
    moment = NOW - 4 * HOUR
    of_old = label(known=moment, due=moment, occurred_at=format_time(NOW - WEEK - HOUR))
    assert found(due(moment), of_old).waiting == 1


def test_a_model_whose_labels_have_all_come_is_not_stale_in_the_part_hour_with_which_the_window_begins() -> None:
    begins = (NOW - WEEK).replace(minute=5)  # the profile of that hour holds it, though the window begins at half past
    labelled = label(known=begins + HOUR, due=begins + HOUR)
    assert found(due(begins + HOUR), labelled) == LabelFreshness(due=1, waiting=0, seconds=0.0)


@pytest.mark.parametrize("hour", ["9999-12-31T23", "2028-02-31T23", "2026-03-31T23"])
def test_an_hour_that_has_not_passed_does_not_wait_whether_or_not_a_calendar_has_it(hour: str) -> None:
    assert found({hour: 3}) == LabelFreshness(due=0, waiting=0, seconds=0.0)


def test_outcomes_grouped_to_the_end_of_a_month_wait_from_its_end() -> None:
    assert found({"2026-02-31T23": 1}).seconds == (NOW - datetime(2026, 3, 1, tzinfo=UTC)).total_seconds()


@pytest.mark.parametrize("grouped", ["2026-03-04T23", "2026-02-31T23"])
def test_labels_count_in_hours_grouped_to_the_end_of_a_day_or_month(grouped: str) -> None:
    moment = datetime.fromisoformat(f"{grouped[:7]}-04T05:00:00Z")
    labels = [label(known=moment, due=moment, occurred_at=format_time(NOW - 6 * 24 * HOUR)) for _ in range(3)]
    assert found({grouped: 3}, *labels).waiting == 0
    assert found({grouped: 4}, *labels).waiting == 1


def test_labels_not_yet_known_do_not_count() -> None:
    moment = NOW - 4 * HOUR
    assert found(due(moment), label(known=NOW + HOUR, due=moment)).waiting == 1


def test_freshness_is_published_by_model() -> None:
    (found,) = label_freshness_measurements("bike", LabelFreshness(due=9, waiting=4, seconds=7200.0))
    assert (found.name, found.value, found.unit, found.dimensions) == (
        "LabelFreshnessSeconds",
        7200.0,
        "Seconds",
        {"Model": "bike"},
    )


def test_an_age_that_no_alarm_can_be_set_to_is_not_published() -> None:
    least = load_template()["Parameters"]["MaxLabelFreshnessSeconds"]["MinValue"]
    assert least == MIN_ALARM_SECONDS
    assert label_freshness_measurements("bike", LabelFreshness(due=9, waiting=4, seconds=least - 1)) == []
