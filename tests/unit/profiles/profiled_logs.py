"""Logs to profile for the tests of the log profiler."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from hindsight.config.metrics import Task
from hindsight.lake.object_store import PREDICTIONS, TaggedObject, day_prefix
from hindsight.profiles.build import profile_rows
from hindsight.profiles.logs.hourly import WindowProfile, window_profile
from hindsight.profiles.logs.log_profiler import LogProfiler, ProfilingReport
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.models.configurations import InMemoryConfigurations
from tests.unit.profiles.builders import exact_parts, row

NOW = datetime(2026, 3, 1, tzinfo=UTC)


DAY = date(2026, 3, 1)


RULES = configuration()


MODEL = RULES.model


def logged(number: int, **other: Any) -> dict[str, Any]:
    made = row(number, model=MODEL, **other)
    made["features"] = {"hour": str(number % 5), "temperature": number / 7, "holiday": number % 3 == 0}
    return made


def log_key(name: str) -> str:
    return f"{day_prefix(PREDICTIONS, MODEL, DAY)}{name}.jsonl.gz"


class World:
    """A lake with a log, and any number of workers that profile it."""

    def __init__(self, lake: InMemoryLake | None = None) -> None:
        self.lake = lake or InMemoryLake()
        self.configurations = InMemoryConfigurations()
        self.configurations.put(RULES, NOW)

    def write(self, name: str, rows: list[dict[str, Any]]) -> str:
        self.lake.write_lines(log_key(name), rows)
        return log_key(name)

    def profile(self, *keys: str) -> ProfilingReport:
        return LogProfiler(self.lake, self.configurations, pause=lambda _: None).profile(keys)

    def window(self, start: int = 0, end: int = 24) -> WindowProfile:
        return window_profile(
            self.lake, MODEL, NOW.replace(hour=start), datetime(2026, 3, 1 + end // 24, end % 24, tzinfo=UTC)
        )


def of_rows(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Collect the exact parts of the profile of rows by version, independent of their hours and objects."""
    by_version: dict[str, list[dict[str, Any]]] = {}
    for found in rows:
        by_version.setdefault(found["model_version"], []).append(found)
    return {
        version: {**exact_parts(profile_rows(found, RULES.features, Task.BINARY)), "sample": ids_of(found)}
        for version, found in by_version.items()
    }


def of_window(window: WindowProfile) -> dict[str, Any]:
    return {
        version: {**exact_parts(profile), "sample": ids_of(profile.sample.rows)}
        for version, profile in window.by_version.items()
        if profile.rows
    }


def ids_of(rows: list[dict[str, Any]]) -> list[str]:
    return sorted({found["prediction_id"] for found in rows})


class EventfulLake(InMemoryLake):
    """A lake with an event after a worker's next read of the log, before or after its next change of an hour."""

    def __init__(self) -> None:
        super().__init__()
        self.after_read = list[Callable[[], None]]()
        self.before_change = list[Callable[[], None]]()
        self.after_change = list[Callable[[], None]]()

    def read_tagged(self, key: str) -> TaggedObject:
        found = super().read_tagged(key)
        if key.startswith(PREDICTIONS):
            _happen(self.after_read)
        return found

    def replace_bytes(self, key: str, content: bytes, content_type: str, *, expected: str | None) -> bool:
        _happen(self.before_change)
        stored = super().replace_bytes(key, content, content_type, expected=expected)
        _happen(self.after_change)
        return stored


def _happen(events: list[Callable[[], None]]) -> None:
    if events:
        events.pop(0)()
