from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hindsight.monitoring.drift.recent_window import WEEK, RecentRows, read_recent_rows, select_recent_rows
from hindsight.profiles.logs.hour import HourProfiles, encode_hour
from hindsight.profiles.logs.hourly import hour_key
from hindsight.profiles.profile import Profile
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.monitoring.windows import profile_of, rows

NOW = datetime(2026, 3, 8, 12, 30, tzinfo=UTC)


def hours(*counts: int) -> list[Profile]:
    return [profile_of(rows(count, seed)) for seed, count in enumerate(counts)]


def pairs(*counts: int, before: tuple[int, ...] | None = None) -> list[RecentRows]:
    """Build hours with so many rows, and so many a week before, as many by default."""
    sides = zip(hours(*counts), hours(*(before or counts)), strict=True)
    return [RecentRows(rows=rows, week_before=week_before) for rows, week_before in sides]


def key_of(hour: datetime) -> str:
    return hour_key("m", hour.date(), f"{hour.hour:02d}")


def write_hours(lake: InMemoryLake, now: datetime, *counts: int) -> None:
    """Write so many rows in each hour back from a moment."""
    for back, profile in enumerate(hours(*counts)):
        hourly = HourProfiles({"v1": profile, "v2": profile_of(rows(1, seed=1_000 + back))})
        lake.write_bytes(key_of(now - timedelta(hours=back)), encode_hour(hourly), "application/octet-stream")


def lake_with(*counts: int, before: tuple[int, ...] | None = None) -> InMemoryLake:
    """Build a lake with so many rows in each hour back from now, and as many a week before."""
    lake = InMemoryLake()
    write_hours(lake, NOW, *counts)
    write_hours(lake, NOW - WEEK, *(before or counts))
    return lake


def recent(lake: InMemoryLake, min_rows: int, window_rows: int) -> RecentRows | None:
    return read_recent_rows(lake, "m", NOW, WEEK, min_rows=min_rows, window_rows=window_rows)


def test_hours_are_taken_until_there_are_enough_rows() -> None:
    found = select_recent_rows(pairs(30, 30, 50, 70), 60, 1_000)
    assert found is not None
    assert (found.rows.rows, found.week_before.rows) == (60, 60)


def test_hours_are_taken_until_the_week_before_has_enough_rows_too() -> None:
    found = select_recent_rows(pairs(30, 30, 50, 70, before=(20, 20, 30, 10)), 60, 1_000)
    assert found is not None
    assert (found.rows.rows, found.week_before.rows) == (110, 70)


def test_hour_without_rows_on_one_side_is_left_out_on_the_other() -> None:
    found = select_recent_rows(pairs(30, 40, 50, 70, before=(30, 0, 30, 10)), 60, 1_000)
    assert found is not None
    assert (found.rows.rows, found.week_before.rows) == (80, 60)


@pytest.mark.parametrize("window_rows", [0, 99, 119])
def test_recent_rows_beyond_half_the_window_are_not_selected(window_rows: int) -> None:
    assert select_recent_rows(pairs(30, 30, 50), 60, window_rows) is None


def test_window_without_enough_rows_has_no_recent_rows() -> None:
    assert select_recent_rows(pairs(30, 30), 100, 1_000) is None
    assert select_recent_rows([], 1, 1_000) is None


def test_hours_are_read_back_from_now_over_all_versions() -> None:
    found = recent(lake_with(20, 30, 40, 50), min_rows=50, window_rows=200)
    assert found is not None
    assert (found.rows.rows, found.week_before.rows) == (52, 52)
    for side in (found.rows, found.week_before):
        assert set(side.features) == {"hour", "temperature", "holiday"}


def test_too_few_rows_a_week_before_give_no_recent_rows() -> None:
    assert recent(lake_with(20, 30, 40, 50, before=(1, 1, 1, 1)), min_rows=50, window_rows=1_000) is None
    lake = InMemoryLake()
    write_hours(lake, NOW, 20, 30, 40, 50)
    assert recent(lake, min_rows=50, window_rows=200) is None


@pytest.mark.parametrize("damaged", [NOW, NOW - WEEK])
def test_hour_that_cannot_be_read_is_left_out_with_its_counterpart(damaged: datetime) -> None:
    lake = lake_with(20, 30, 40, 50)
    lake.write_bytes(key_of(damaged), b"damaged", "application/octet-stream")
    found = recent(lake, min_rows=50, window_rows=1_000)
    assert found is not None
    assert (found.rows.rows, found.week_before.rows) == (72, 72)


def test_no_hour_before_the_window_is_read() -> None:
    lake = InMemoryLake()
    old = NOW - timedelta(hours=200)
    write_hours(lake, old, 90)
    write_hours(lake, old - WEEK, 90)
    assert recent(lake, min_rows=50, window_rows=1_000) is None


class ListedLake(InMemoryLake):
    """A lake that counts its listings: each is billed at ten times a read."""

    listings = 0

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        self.listings += 1
        return super().keys(prefix, after)


def test_hours_are_read_by_their_keys_after_one_listing() -> None:
    lake = ListedLake()
    write_hours(lake, NOW, 30, 30, 50)
    write_hours(lake, NOW - WEEK, 30, 30, 50)
    assert recent(lake, 60, 1_000) is not None
    assert lake.listings == 1
