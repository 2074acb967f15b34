"""The newest rows of a window by themselves: where a sudden shift shows first."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from shared.lake import Lake
from shared.profiles.hourly import window_profile
from shared.profiles.profile import Profile

HOUR = timedelta(hours=1)


def newest_profile(
    lake: Lake, model: str, now: datetime, window: timedelta, *, least: int, window_rows: int
) -> Profile | None:
    """Return the profile of a model's newest predictions, ``least`` at least, read hour by hour.

    None where they are more than half of the window's ``window_rows``: then they tell nothing that the window does not.
    Raises UnreadableObject.
    """
    return None if window_rows < 2 * least else newest_rows(_hours_back(lake, model, now, window), least, window_rows)


def newest_rows(hours: Iterable[Profile], least: int, window_rows: int) -> Profile | None:
    """Return the profile of the newest rows, ``least`` at least and in whole hours, the newest of which comes first."""
    taken, rows = list[Profile](), 0
    for hour in hours:
        taken.append(hour)
        rows += hour.rows
        if 2 * rows > window_rows:
            return None
        if rows >= least:
            return Profile.merged(taken)
    return None


def _hours_back(lake: Lake, model: str, now: datetime, window: timedelta) -> Iterator[Profile]:
    hour = (now - timedelta(microseconds=1)).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour > now - window:
        yield window_profile(lake, model, hour, hour + HOUR).all
        hour -= HOUR
