from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hindsight.config.metrics import Task
from hindsight.core.errors import Conflict, UnreadableObject
from hindsight.lake.object_store import PREDICTIONS, PROFILES, Tagged, day_prefix
from hindsight.lake.packer import Packer
from hindsight.monitoring.label_health.join_health import join_health
from hindsight.monitoring.label_health.label_freshness import label_freshness
from hindsight.profiles.build import profile_rows
from hindsight.profiles.logs.hour import MAX_VERSIONS, OTHER_VERSIONS, HourProfiles, LogPiece
from hindsight.profiles.logs.hourly import WindowProfile, window_profile
from hindsight.profiles.logs.log_profiler import LogProfiler, ProfilingReport
from hindsight.profiles.profile import Profile
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.models.configurations import InMemoryConfigurations
from tests.unit.profiles.builders import row, told

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
    """Return what is exact in the profile of rows, by version, whatever hours and objects they lie in."""
    by_version: dict[str, list[dict[str, Any]]] = {}
    for found in rows:
        by_version.setdefault(found["model_version"], []).append(found)
    return {
        version: {**told(profile_rows(found, RULES.features, Task.BINARY)), "sample": ids_of(found)}
        for version, found in by_version.items()
    }


def of_window(window: WindowProfile) -> dict[str, Any]:
    return {
        version: {**told(profile), "sample": ids_of(profile.sample.rows)}
        for version, profile in window.by_version.items()
        if profile.rows
    }


def ids_of(rows: list[dict[str, Any]]) -> list[str]:
    return sorted({found["prediction_id"] for found in rows})


def test_rows_of_several_hours_and_versions_are_profiled_by_hour_and_version() -> None:
    world = World()
    rows = [logged(number, model_version=f"v{number % 2}") for number in range(60)]
    report = world.profile(world.write("1", rows[:40]), world.write("2", rows[40:]))

    assert (sum(report.rows.values()), report.failures) == (60, {})
    assert of_window(world.window()) == of_rows(rows)
    assert world.window().all.rows == 60
    assert len(list(world.lake.keys(f"{PROFILES}/"))) == 24


@pytest.mark.parametrize(("start", "end", "hours"), [(5, 6, {5}), (5, 7, {5, 6}), (0, 24, set(range(24)))])
def test_window_holds_the_hours_from_its_start_up_to_its_end(start: int, end: int, hours: set[int]) -> None:
    world = World()
    world.profile(world.write("1", [logged(number) for number in range(48)]))

    found = {int(sampled["prediction_id"][2:]) % 24 for sampled in world.window(start, end).all.sample.rows}

    assert found == hours


def test_hour_that_has_begun_belongs_to_the_window() -> None:
    world = World()
    world.profile(world.write("1", [logged(number) for number in range(24)]))

    window = window_profile(world.lake, MODEL, NOW.replace(hour=3, minute=59), NOW.replace(hour=5, minute=1))

    assert window.all.rows == 3


def test_window_without_predictions_is_empty() -> None:
    window = World().window()

    assert (window.by_version, window.all.rows, window.of_version("v1").rows) == ({}, 0, 0)


def test_log_object_that_is_announced_again_counts_once() -> None:
    world = World()
    key = world.write("1", [logged(number) for number in range(30)])
    world.profile(key)
    before = dict(world.lake.objects)
    world.profile(key, key)

    assert world.lake.objects == before


def test_prediction_that_is_twice_in_one_object_counts_once() -> None:
    world = World()
    rows = [logged(number) for number in range(10)]
    world.profile(world.write("1", [*rows, *rows[:5]]))

    assert of_window(world.window()) == of_rows(rows)


def test_object_written_again_counts_as_it_is_now_also_in_hours_it_has_left() -> None:
    world = World()
    rows = [logged(number) for number in range(24)]
    world.profile(world.write("1", rows), world.write("0", [logged(100)]))
    world.write("1", rows[:6])
    world.profile(log_key("1"))
    world.profile(world.write("2", rows[6:]))

    assert of_window(world.window()) == of_rows([logged(100), *rows])


def test_object_that_is_emptied_leaves_its_hours() -> None:
    world = World()
    world.profile(world.write("1", [logged(number) for number in range(5)]), world.write("2", [logged(50)]))
    world.profile(world.write("1", []))

    assert of_window(world.window()) == of_rows([logged(50)])


def test_foreign_and_deleted_objects_are_skipped() -> None:
    world = World()
    report = world.profile("feedback/date=2026-03-01/1", log_key("gone"))

    assert report == ProfilingReport()


def test_log_of_an_unknown_model_is_skipped_and_the_others_are_profiled() -> None:
    world = World()
    unknown = f"{day_prefix(PREDICTIONS, 'forgotten', DAY)}1.jsonl.gz"
    world.lake.write_lines(unknown, [logged(1)])
    report = world.profile(unknown, world.write("1", [logged(1)]))

    assert (report.unknown_models, report.failures) == ({"forgotten"}, {})
    assert world.window().all.rows == 1


@pytest.mark.parametrize("content", [b"\x1f\x8bdamaged", b"[1]\n", b"{\n", b'{"prediction_id": "p"}\n'])
def test_object_that_cannot_be_read_fails_alone(content: bytes) -> None:
    world = World()
    world.lake.write_bytes(log_key("damaged"), content, "application/x-ndjson")
    report = world.profile(log_key("damaged"), world.write("1", [logged(1)]))

    assert list(report.failures) == [log_key("damaged")]
    assert isinstance(report.failures[log_key("damaged")], UnreadableObject)
    assert world.window().all.rows == 1


def test_rarest_of_many_versions_are_merged() -> None:
    world = World()
    rows = [logged(24 * number, model_version=f"v{number % 70}" if number < 140 else "v69") for number in range(150)]
    for part in range(0, 150, 30):
        world.profile(world.write(str(part), rows[part : part + 30]))
    window = world.window()

    assert len(window.by_version) == MAX_VERSIONS + 1
    assert window.by_version[OTHER_VERSIONS].rows > 0
    assert window.all.rows == 150
    assert window.of_version("v69").rows >= 10


def test_many_due_hours_are_grouped_more_coarsely_and_never_too_early() -> None:
    world = World()
    due = [f"{2026 + number // 300}-{1 + number % 12:02d}-{1 + number % 28:02d}T05:00:00Z" for number in range(3000)]
    world.profile(world.write("1", [logged(24 * n, outcome_due_at=text) for n, text in enumerate(due)]))
    told_due = world.window().all.due

    assert len(told_due) <= 1_000
    assert sum(told_due.values()) == 3000
    for moment in ("2026-06-15T00", "2030-01-01T00"):
        assert sum(n for hour, n in told_due.items() if hour < moment) <= sum(text[:13] < moment for text in due)


def test_grouped_due_hours_are_moments_that_checks_can_read() -> None:
    hours = [NOW + timedelta(days=number % 1_500, hours=number % 24) for number in range(3_000)]
    due = Counter({f"{hour:%Y-%m-%dT%H}": 1 for hour in hours})
    hour = HourProfiles().add([LogPiece(1, 1, {"v1": replace(Profile.empty(), rows=len(due), due=due)})])
    told_due = hour.by_version["v1"].due

    assert "2028-02-29T23" in told_due
    assert sum(told_due.values()) == len(due)
    now = NOW + timedelta(days=2_000)
    assert label_freshness(told_due, [], now, timedelta(days=7)).due == len(due)
    health = join_health(hour.by_version["v1"], {}, start=NOW, now=now)
    assert health["by_status"] == {"pending": len(due)}


HOUR_FIVE = f"{day_prefix(PROFILES, MODEL, DAY)}hour=05.profile"


@pytest.mark.parametrize("content", [b"", b"damaged", b"\x93\x02\xc4\x00\x80"])
def test_damaged_hour_is_left_out_of_the_window_and_reported(content: bytes) -> None:
    world = World()
    world.profile(world.write("1", [logged(number) for number in range(48)]))
    world.lake.write_bytes(HOUR_FIVE, content, "application/octet-stream")
    window = world.window()

    assert window.unreadable == (HOUR_FIVE,)
    assert window.all.rows == 46


@pytest.mark.parametrize("announced", ["1", "2", "new"])
def test_hour_that_is_damaged_is_built_anew_from_the_whole_day(announced: str) -> None:
    world = World()
    rows = [logged(number) for number in range(96)]
    world.profile(world.write("1", rows[:30]), world.write("2", rows[30:60]))
    world.lake.write_bytes(HOUR_FIVE, b"damaged", "application/octet-stream")
    world.lake.write_bytes(log_key("3"), b"no log", "application/x-ndjson")
    if announced == "new":
        world.write("new", rows[60:])
    report = world.profile(log_key(announced))

    assert report.failures == {}
    assert world.window().unreadable == ()
    assert of_window(world.window()) == of_rows(rows if announced == "new" else rows[:60])
    before = dict(world.lake.objects)
    world.profile(log_key(announced), log_key("1"))
    assert world.lake.objects == before


def test_window_is_merged_once() -> None:
    window = WindowProfile({"v1": profile_rows([logged(1)], RULES.features, Task.BINARY), "v2": Profile.empty()})

    assert window.all is window.all


class EventfulLake(InMemoryLake):
    """Lets something happen after a worker's next read of the log, before or after its next change of an hour."""

    def __init__(self) -> None:
        super().__init__()
        self.after_read = list[Callable[[], None]]()
        self.before_change = list[Callable[[], None]]()
        self.after_change = list[Callable[[], None]]()

    def read_tagged(self, key: str) -> Tagged:
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


def test_two_workers_on_one_hour_lose_nothing() -> None:
    lake = EventfulLake()
    world = World(lake)
    rows = [logged(24 * number) for number in range(20)]
    first, second = world.write("1", rows[:10]), world.write("2", rows[10:])
    lake.before_change.append(lambda: _check(world.profile(second)))
    _check(world.profile(first))

    assert of_window(world.window()) == of_rows(rows)


def test_worker_that_always_loses_the_race_returns_the_message() -> None:
    lake = EventfulLake()
    world = World(lake)

    def overtake() -> None:
        name = f"other-{len(lake.objects)}"
        world.write(name, [logged(24 * len(lake.objects) + 2400)])
        LogProfiler(_Plain(lake), world.configurations, pause=lambda _: None).profile([log_key(name)])

    lake.before_change.extend([overtake] * 30)
    report = world.profile(world.write("1", [logged(0)]))

    assert isinstance(report.failures[log_key("1")], Conflict)


class _Plain(InMemoryLake):
    """The objects of another lake, without its events."""

    def __init__(self, other: InMemoryLake) -> None:
        super().__init__()
        self.objects = other.objects


@pytest.mark.parametrize("when", ["after_read", "before_change", "after_change"])
@pytest.mark.parametrize("nth", range(4))
def test_work_of_a_dead_worker_is_completed_by_the_next_one(when: str, nth: int) -> None:
    lake = EventfulLake()
    world = World(lake)
    rows = [logged(number) for number in range(12)]
    world.profile(world.write("1", rows), world.write("2", [logged(50)]))
    world.write("1", rows[:3])

    def die() -> None:
        raise KeyboardInterrupt

    getattr(lake, when).extend([*[lambda: None] * nth, die])
    with pytest.raises(KeyboardInterrupt):
        world.profile(log_key("1"))
    getattr(lake, when).clear()
    world.profile(log_key("1"))

    assert of_window(world.window()) == of_rows([*rows[:3], logged(50)])


def _check(report: ProfilingReport) -> None:
    assert report.failures == {}


deliveries = st.lists(
    st.tuples(
        st.integers(0, 3),  # which object is written anew
        st.integers(1, 12),  # with how many of its rows
        st.lists(st.integers(0, 9), max_size=4),  # which of the notifications waiting then arrive together
        st.sampled_from(["", "after_read", "before_change", "after_change"]),  # when another worker comes between
        st.booleans(),  # whether that other one writes the object anew, too
        st.sampled_from([None, None, 0, 5]),  # whether the day is then packed, and how many days later
    ),
    min_size=1,
    max_size=8,
)


# Two objects are written again; the hours of one are built anew before the other one is told.
TWO_WRITTEN_AGAIN = [
    (number, count, arriving, "", False, None)
    for number, count, arriving in [(3, 2, []), (2, 5, [0, 1]), (3, 1, []), (2, 1, [])]
]
# An object is written a third time while its hours are built anew, and then as it was before.
WRITTEN_MEANWHILE = [
    (0, 2, [0], "", False, None),
    (0, 1, [0], "before_change", True, None),
    (0, 1, [], "", False, None),
]


@settings(max_examples=150)
@example(TWO_WRITTEN_AGAIN)
@example(WRITTEN_MEANWHILE)
@given(deliveries)
def test_each_object_counts_once_in_any_order_of_writes_and_announcements(
    steps: list[tuple[int, int, list[int], str, bool, int | None]],
) -> None:
    lake = EventfulLake()
    world = World(lake)
    objects = {name: [logged(name * 100 + number) for number in range(12)] for name in range(4)}
    current = dict[int, int]()
    waiting = list[str]()

    def write(name: int, count: int) -> None:
        current[name] = count
        waiting.append(world.write(str(name), objects[name][:count]))

    def arrive(chosen: list[int]) -> None:
        keys = [waiting[place % len(waiting)] for place in chosen] if waiting else []
        failed = world.profile(*keys).failures
        waiting.extend(failed)

    def pack(days: int | None) -> None:
        if days is not None:
            before = set(lake.objects)
            Packer(lake).sweep(MODEL, NOW + timedelta(days=days), lambda: True)
            waiting.extend(sorted(key for key in lake.objects.keys() - before if key.startswith(PREDICTIONS)))

    for name, count, chosen, when, writes, packed in steps:
        write(name, count)
        if when:

            def between(
                name: int = name, count: int = count, writes: bool = writes, packed: int | None = packed
            ) -> None:
                if writes:
                    write(name, 1 + (count + 5) % 12)
                pack(packed)
                arrive([0, 1, 2])

            getattr(lake, when).append(between)
        arrive(chosen)
        pack(packed)
        for events in (lake.after_read, lake.before_change, lake.after_change):
            events.clear()
    while waiting:  # every notification arrives in the end
        key = waiting.pop()
        assert world.profile(key).failures == {}

    rows = [found for name, count in current.items() for found in objects[name][:count]]
    assert of_window(world.window()) == of_rows(rows)
