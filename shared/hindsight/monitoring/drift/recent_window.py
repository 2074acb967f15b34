"""The recent window: the newest rows by themselves, where a sudden shift shows first.

An hour of traffic is never like the days of a training: nights and weekends differ. So the newest rows are compared
with those of the same clock hours a week before, in which daily and weekly cycles are the same.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hindsight.core.errors import UnreadableObject
from hindsight.lake.object_store import PROFILES, Lake, model_prefix
from hindsight.profiles.logs.hourly import key_at, read_hour
from hindsight.profiles.profile import Profile

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecentRows:
    """The newest rows of a window, and those of the same clock hours one week before."""

    rows: Profile
    week_before: Profile


def read_recent_rows(
    lake: Lake, model: str, now: datetime, window: timedelta, *, min_rows: int, window_rows: int
) -> RecentRows | None:
    """Read a model's newest predictions and those a week before them, hour by hour.

    None where `select_recent_rows` finds too few.
    """
    if window_rows < 2 * min_rows:
        return None
    return select_recent_rows(_hours_back(lake, model, now, window), min_rows, window_rows)


def select_recent_rows(hours: Iterable[RecentRows], min_rows: int, window_rows: int) -> RecentRows | None:
    """Select the newest hours, which come first, with ``min_rows`` rows now and ``min_rows`` a week before.

    An hour that has no rows on one of both sides is left out on the other: after an outage the mix of the hours would
    differ. None where the hours reach back over more than half of the window's ``window_rows``, so that they show
    nothing that the window does not; and where a week before there were too few rows.
    """
    taken, passed, now, before = list[RecentRows](), 0, 0, 0
    for hour in hours:
        passed += hour.rows.rows
        if 2 * passed > window_rows:
            return None
        if not hour.rows.rows or not hour.week_before.rows:
            continue
        taken.append(hour)
        now, before = now + hour.rows.rows, before + hour.week_before.rows
        if min(now, before) >= min_rows:
            return RecentRows(
                rows=Profile.merged([found.rows for found in taken]),
                week_before=Profile.merged([found.week_before for found in taken]),
            )
    return None


def _hours_back(lake: Lake, model: str, now: datetime, window: timedelta) -> Iterator[RecentRows]:
    """List the hours of a window, newest first, until a week before them has no profiles."""
    first = next(iter(lake.keys(model_prefix(PROFILES, model))), None)
    hour = (now - timedelta(microseconds=1)).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour > now - window and first is not None and first <= key_at(model, hour - WEEK):
        with suppress(UnreadableObject):
            yield RecentRows(rows=read_hour(lake, model, hour).all, week_before=read_hour(lake, model, hour - WEEK).all)
        hour -= HOUR
