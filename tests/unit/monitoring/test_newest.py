from datetime import UTC, datetime, timedelta

import pytest

from shared.monitoring.newest import newest_profile, newest_rows
from shared.profiles.hour import HourProfiles, encode_hour
from shared.profiles.hourly import hour_key
from shared.profiles.profile import Profile
from tests.fakes.lake import InMemoryLake
from tests.unit.monitoring.windows import profile_of, rows

NOW = datetime(2026, 3, 8, 12, 30, tzinfo=UTC)
WEEK = timedelta(days=7)


def hours(*counts: int) -> list[Profile]:
    return [profile_of(rows(count, seed)) for seed, count in enumerate(counts)]


def lake_with(*counts: int) -> InMemoryLake:
    """Return a lake with so many rows in each hour back from now."""
    lake = InMemoryLake()
    for back, profile in enumerate(hours(*counts)):
        hour = NOW - timedelta(hours=back)
        hourly = HourProfiles({"v1": profile, "v2": profile_of(rows(1, seed=1_000 + back))})
        lake.write_bytes(
            hour_key("m", hour.date(), f"{hour.hour:02d}"), encode_hour(hourly), "application/octet-stream"
        )
    return lake


def newest(lake: InMemoryLake, least: int, window_rows: int) -> Profile | None:
    return newest_profile(lake, "m", NOW, WEEK, least=least, window_rows=window_rows)


def test_as_many_hours_are_taken_as_are_needed() -> None:
    found = newest_rows(hours(30, 30, 50, 70), 60, 1_000)
    assert found is not None
    assert found.rows == 60


@pytest.mark.parametrize("window_rows", [0, 99, 119])
def test_rows_that_are_more_than_half_the_window_are_not_looked_at_apart(window_rows: int) -> None:
    assert newest_rows(hours(30, 30, 50), 60, window_rows) is None


def test_a_window_without_enough_rows_has_no_newest_ones() -> None:
    assert newest_rows(hours(30, 30), 100, 1_000) is None
    assert newest_rows([], 1, 1_000) is None


def test_hours_are_read_back_from_now_over_all_versions() -> None:
    found = newest(lake_with(20, 30, 40, 50), least=50, window_rows=200)
    assert found is not None
    assert found.rows == 52
    assert set(found.features) == {"hour", "temperature", "holiday"}


def test_no_hour_before_the_window_is_read() -> None:
    lake = InMemoryLake()
    old = NOW - timedelta(hours=200)
    content = encode_hour(HourProfiles({"v1": hours(90)[0]}))
    lake.write_bytes(hour_key("m", old.date(), f"{old.hour:02d}"), content, "application/octet-stream")
    assert newest(lake, least=50, window_rows=1_000) is None
