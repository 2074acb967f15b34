"""Join health counts what is labelled, and how long that took."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.config.metrics import Task
from hindsight.core.times import format_time
from hindsight.monitoring.label_health.join_health import join_health, judge_join, percentile
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.build import profile_rows
from hindsight.profiles.profile import Profile
from hindsight.testing.builders.label_rows import newest_records

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(name: str, seq: int = 1, hours: float = 1, **changes: Any) -> dict[str, Any]:
    kept = {
        "prediction_id": name,
        "seq": seq,
        "value": 1,
        "status": "final",
        "kind": "outcome",
        "occurred_at": format_time(NOON),
        "outcome_due_at": format_time(NOON),
        "known_at": format_time(NOON + timedelta(hours=hours)),
    }
    return {**kept, **changes}


def window_of(*due: datetime) -> Profile:
    """Predictions made at noon, by when their outcomes fall due."""
    rows = [
        {
            "prediction_id": str(number),
            "features": {},
            "score": 0.5,
            "decision": 1,
            "outcome_due_at": format_time(moment),
        }
        for number, moment in enumerate(due)
    ]
    return profile_rows(rows, {}, Task.BINARY)


def test_window_is_counted_by_the_state_of_its_labels() -> None:
    predictions = window_of(NOON, NOON, NOON, NOON, NOON + timedelta(days=9))
    censored = record("c", value=None, status="censored", kind=None)
    before = record("z", occurred_at=format_time(NOON - timedelta(hours=1)))
    labels = newest_records([record("a"), record("b", hours=3), record("b", seq=2, hours=5), censored, before])

    assert join_health(predictions, labels, start=NOON, now=NOON + timedelta(days=1)) == {
        "predictions": 5,
        "not_due": 1,
        "labelled": 2,
        "due_after_windows": 0,
        "by_status": {"final": 2, "censored": 1, "pending": 1},
        "by_kind": {"outcome": 2},
        "latency_seconds": {"p50": 3600.0, "p90": 18000.0, "p99": 18000.0},
    }


@pytest.mark.parametrize(("minutes", "due"), [(29, 0), (59, 0), (60, 2), (90, 2)])
def test_outcome_is_due_when_its_hour_is_over_for_predictions_and_labels_alike(minutes: int, due: int) -> None:
    half_past = NOON + timedelta(minutes=30)
    labels = [record("a", outcome_due_at=format_time(half_past))]

    health = join_health(window_of(half_past, half_past), labels, start=NOON, now=NOON + timedelta(minutes=minutes))

    assert health["predictions"] == 2
    assert health["not_due"] == 2 - due
    assert health["by_status"] == ({"final": 1, "pending": 1} if due else {})


def test_labels_ahead_of_the_profiles_leave_nothing_pending() -> None:
    labels = [record(name) for name in "abc"]

    health = join_health(window_of(NOON), labels, start=NOON, now=NOON + timedelta(days=1))

    assert (health["by_status"], health["labelled"]) == ({"final": 3}, 3)


def test_empty_window_has_no_latency() -> None:
    health = join_health(Profile.empty(), [], start=NOON, now=NOON)

    assert (health["predictions"], health["labelled"]) == (0, 0)
    assert set(health["latency_seconds"].values()) == {None}


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([50, 90, 99]))
def test_percentile_leaves_at_most_its_rest_above_it(values: list[float], share: int) -> None:
    found = percentile(sorted(values), share)

    assert found is not None
    assert sum(value > found for value in values) <= len(values) * (100 - share) / 100
    assert found in values


@pytest.mark.parametrize(
    ("late", "reach", "verdict"),
    [
        (3, timedelta(days=2), Verdict.LOW),
        (2, timedelta(days=2), Verdict.OK),
        (3, timedelta(days=3), Verdict.OK),
        (3, None, Verdict.OK),
    ],
)
def test_join_is_low_if_most_outcomes_are_due_after_every_window(
    late: int, reach: timedelta | None, verdict: Verdict
) -> None:
    dues = [NOON + timedelta(days=3)] * late + [NOON] * 2
    labels = newest_records(
        record(str(number), outcome_due_at=format_time(due), value=None, status="censored", kind=None)
        for number, due in enumerate(dues)
    )
    health = join_health(window_of(*dues), labels, start=NOON, now=NOON + timedelta(days=4), reach=reach)

    found, reason = judge_join(health, reach)

    assert found is verdict
    if verdict is Verdict.LOW:
        assert reason == "3 of 5 outcomes are due after the windows of all rules, P2D at most, and make no label"


def test_join_of_no_predictions_is_no_finding() -> None:
    health = join_health(Profile.empty(), [], start=NOON, now=NOON, reach=timedelta(days=1))
    assert judge_join(health, timedelta(days=1)) == (Verdict.OK, "")
