"""Hourly profiles in the lake, and a window of them, which a check reads instead of the rows."""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from hindsight.core.errors import NotFound, UnreadableObject
from hindsight.lake.object_store import PROFILES, Lake, day_of, day_prefix, keys_between
from hindsight.profiles.logs.hour import OTHER_VERSIONS, bounded, decode_profiles
from hindsight.profiles.profile import Profile
from hindsight.profiles.sample import WINDOW_CAPACITY

_READERS = 8
_SUFFIX = ".profile"
_HOUR = re.compile(r"hour=([01]\d|2[0-3])\.profile")
# Of a window, in memory: another server may name its versions as it likes, a new one a call.
MAX_WINDOW_VERSIONS = 500
_MAX_WINDOW_COLUMNS = 50_000


@dataclass(frozen=True, eq=False)
class WindowProfile:
    """The predictions of a window, by the version that made them; its samples hold up to 2,000 rows.

    Beyond 500 versions those with the fewest rows are one, ``OTHER_VERSIONS``.

    ``unreadable`` are the keys of hours that are damaged, and whose predictions are left out.
    """

    by_version: Mapping[str, Profile]
    unreadable: tuple[str, ...] = ()

    @cached_property
    def all(self) -> Profile:
        """The predictions of all versions as one."""
        profiles = list(self.by_version.values())
        return profiles[0] if len(profiles) == 1 else Profile.merged(profiles, sample_capacity=WINDOW_CAPACITY)

    def of_version(self, version: str) -> Profile:
        """Select the predictions one version made, of no rows where it made none."""
        return self.by_version.get(version) or Profile.empty()


def hour_key(model: str, day: date, hour: str) -> str:
    """Build the key of the profiles of one hour of a model.

    >>> hour_key("bike-demand", date(2026, 3, 1), "05")
    'profiles/model=bike-demand/date=2026-03-01/hour=05.profile'
    """
    return f"{day_prefix(PROFILES, model, day)}hour={hour}{_SUFFIX}"


def hour_of(key: str) -> str:
    """Read the hour of the day from the key of its profiles.

    >>> hour_of("profiles/model=bike-demand/date=2026-03-01/hour=05.profile")
    '05'
    """
    return key.removesuffix(_SUFFIX)[-2:]


def window_profile(lake: Lake, model: str, start: datetime, end: datetime) -> WindowProfile:
    """Read the profile of a model's predictions from the full hour of ``start`` on, of hours begun before ``end``.

    Reads one object an hour, however many predictions it has, a few at a time.
    """
    by_version, unreadable = dict[str, Profile](), list[str]()
    remaining = _hours_between(lake, model, start, end)
    with ThreadPoolExecutor(_READERS) as readers:
        while batch := list(islice(remaining, 2 * _READERS)):
            found: dict[str, list[Profile]] = {version: [profile] for version, profile in by_version.items()}
            for key, content in zip(batch, readers.map(lake.read_bytes, batch), strict=True):
                try:
                    hour = decode_profiles(content)
                except UnreadableObject:
                    unreadable.append(key)
                    continue
                for version, profile in hour.items():
                    found.setdefault(version, []).append(profile)
            for version, profiles in found.items():
                by_version[version] = Profile.merged(profiles, sample_capacity=WINDOW_CAPACITY)
            by_version = bounded(by_version, MAX_WINDOW_VERSIONS, _MAX_WINDOW_COLUMNS)
    return WindowProfile(by_version, tuple(unreadable))


def read_hour(lake: Lake, model: str, hour: datetime) -> WindowProfile:
    """Read the predictions of one hour by its key, without a listing. Raises UnreadableObject."""
    try:
        return WindowProfile(decode_profiles(lake.read_bytes(key_at(model, hour))))
    except NotFound:
        return WindowProfile({})


class FoundProfile(NamedTuple):
    """Some predictions of a version, in the hours from ``since`` to before ``until``."""

    profile: Profile
    since: datetime
    until: datetime


def first_version(lake: Lake, model: str, start: datetime, end: datetime) -> tuple[str, datetime] | None:
    """Find the version of a model's first predictions of a window, and the hour of them; of several the busiest."""
    for moment, hour in _hours(lake, model, start, end):
        named = {version: profile.rows for version, profile in hour.items() if version != OTHER_VERSIONS}
        if named:
            return max(named, key=lambda version: (named[version], version)), moment
    return None


def first_hour(lake: Lake, model: str, version: str, start: datetime, end: datetime) -> datetime | None:
    """Find the hour of a version's first predictions of a window, None where it made none."""
    hours = _hours(lake, model, start, end)
    return next((moment for moment, hour in hours if version in hour and hour[version].rows), None)


def more_rows(
    lake: Lake, model: str, version: str, so_far: FoundProfile, end: datetime, *, rows: int, most_hours: int
) -> FoundProfile:
    """Add a version's predictions of the next hours to some, until they are so many, or so many hours were read."""
    found, until, count = [so_far.profile], so_far.until, so_far.profile.rows
    for moment, hour in islice(_hours(lake, model, so_far.until, end), most_hours):
        if count >= rows:
            break
        found.append(hour.get(version) or Profile.empty())
        count, until = count + found[-1].rows, moment + timedelta(hours=1)
    merged = Profile.merged([one for one in found if one.rows], sample_capacity=WINDOW_CAPACITY)
    return FoundProfile(merged if count else so_far.profile, so_far.since, until)


def _hours(lake: Lake, model: str, start: datetime, end: datetime) -> Iterator[tuple[datetime, Mapping[str, Profile]]]:
    """Read the hours of a window one by one, damaged ones and foreign objects left out."""
    for key in _hours_between(lake, model, start, end):
        with suppress(UnreadableObject):
            day = day_of(key)
            if day is not None and _HOUR.fullmatch(key.rpartition("/")[2]):
                moment = datetime(day.year, day.month, day.day, int(hour_of(key)), tzinfo=UTC)
                yield moment, decode_profiles(lake.read_bytes(key))


def _hours_between(lake: Lake, model: str, start: datetime, end: datetime) -> Iterator[str]:
    first, last = key_at(model, start), key_at(model, end - timedelta(microseconds=1))
    for key in keys_between(lake, PROFILES, model, start, end):
        if first <= key <= last:
            yield key


def key_at(model: str, moment: datetime) -> str:
    """Build the key of the profiles of the hour that a moment lies in."""
    utc = moment.astimezone(UTC)
    return hour_key(model, utc.date(), f"{utc.hour:02d}")
