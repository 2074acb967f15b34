"""The versions that are logged beside a champion."""

from dataclasses import dataclass
from datetime import datetime

from hindsight.core.times import parse_time
from hindsight.lake.object_store import Lake
from hindsight.profiles.logs.hour import OTHER_VERSIONS
from hindsight.profiles.logs.hourly import WindowProfile
from hindsight.profiles.reference import read_baseline

MAX_BESIDE = 5
"""Versions that are monitored beside the champion: the newest."""
_MAX_CANDIDATES = 50  # whose baselines are read to find the newest; the busiest of more


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedVersion:
    """A version beside the champion, and the hour of its first predictions; None until its baseline is begun.

    Of one that came with its baseline it is the moment of that.
    """

    version: str
    first_logged_at: datetime | None


def logged_beside(lake: Lake, model: str, window: WindowProfile, champion: str) -> list[LoggedVersion]:
    """List the versions that made predictions of a window beside the champion, at most ``MAX_BESIDE``, newest first."""
    rows = {version: profile.rows for version, profile in window.by_version.items() if profile.rows}
    names = sorted(rows.keys() - {champion, OTHER_VERSIONS}, key=lambda version: (-rows[version], version))
    found = [_logged(lake, model, version) for version in names[:_MAX_CANDIDATES]]
    return sorted(found, key=_newest_first)[:MAX_BESIDE]


def _logged(lake: Lake, model: str, version: str) -> LoggedVersion:
    baseline = read_baseline(lake, model, version)
    # A baseline of uploaded rows says when it was built, which is when its version was registered.
    first = None if baseline is None else baseline.get("first_logged_at", baseline.get("built_at"))
    return LoggedVersion(version=version, first_logged_at=None if first is None else parse_time(first))


def _newest_first(logged: LoggedVersion) -> tuple[float, str]:
    """Order by age; one without a baseline has just come."""
    first = logged.first_logged_at
    return (float("-inf") if first is None else -first.timestamp(), logged.version)
