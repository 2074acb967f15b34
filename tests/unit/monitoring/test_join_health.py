"""Join health counts what is labelled, and how long that took."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.monitoring.join_health import join_health, newest_records, percentile
from shared.times import format_time

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(name: str, seq: int = 1, hours: float = 1, **changes: Any) -> dict[str, Any]:
    kept = {
        "prediction_id": name,
        "seq": seq,
        "value": 1,
        "status": "final",
        "source": "outcome",
        "occurred_at": format_time(NOON),
        "known_at": format_time(NOON + timedelta(hours=hours)),
    }
    return {**kept, **changes}


def test_a_window_is_told_by_the_state_of_its_labels() -> None:
    predictions = [{"prediction_id": name, "outcome_due_at": format_time(NOON)} for name in "abcd"]
    later = {"prediction_id": "e", "outcome_due_at": format_time(NOON + timedelta(days=9))}
    censored = record("c", value=None, status="censored", source=None)
    labels = newest_records([record("a"), record("b", hours=3), record("b", seq=2, hours=5), censored, record("z")])

    assert join_health([*predictions, later], labels, NOON + timedelta(days=1)) == {
        "predictions": 5,
        "not_due": 1,
        "labelled": 2,
        "by_status": {"final": 2, "censored": 1, "pending": 1},
        "by_source": {"outcome": 2},
        "latency_seconds": {"p50": 3600.0, "p90": 18000.0, "p99": 18000.0},
    }


def test_an_empty_window_has_no_latency() -> None:
    health = join_health([], {}, NOON)

    assert (health["predictions"], health["labelled"]) == (0, 0)
    assert set(health["latency_seconds"].values()) == {None}


@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([50, 90, 99]))
def test_a_percentile_leaves_at_most_its_rest_above_it(values: list[float], share: int) -> None:
    found = percentile(sorted(values), share)

    assert found is not None
    assert sum(value > found for value in values) <= len(values) * (100 - share) / 100
    assert found in values
