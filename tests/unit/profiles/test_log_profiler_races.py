"""The log profiler where objects come again, together or late."""

from collections import Counter
from datetime import timedelta

from msgspec.structs import replace

from hindsight.config.metrics import Task
from hindsight.core.errors import Conflict
from hindsight.monitoring.label_health.join_health import join_health
from hindsight.monitoring.label_health.label_freshness import label_freshness
from hindsight.profiles.build import profile_rows
from hindsight.profiles.logs.hour import MAX_VERSIONS, OTHER_VERSIONS, HourProfiles, LogPiece
from hindsight.profiles.logs.hourly import WindowProfile
from hindsight.profiles.logs.log_profiler import LogProfiler
from hindsight.profiles.profile import Profile
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.profiles.profiled_logs import (
    NOW,
    RULES,
    EventfulLake,
    World,
    log_key,
    logged,
    of_rows,
    of_window,
)


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
    counted_due = world.window().all.due

    assert len(counted_due) <= 1_000
    assert sum(counted_due.values()) == 3000
    for moment in ("2026-06-15T00", "2030-01-01T00"):
        assert sum(n for hour, n in counted_due.items() if hour < moment) <= sum(text[:13] < moment for text in due)


def test_grouped_due_hours_are_moments_that_checks_can_read() -> None:
    hours = [NOW + timedelta(days=number % 1_500, hours=number % 24) for number in range(3_000)]
    due = Counter({f"{hour:%Y-%m-%dT%H}": 1 for hour in hours})
    hour = HourProfiles().add([LogPiece(1, 1, {"v1": replace(Profile.empty(), rows=len(due), due=due)})])
    counted_due = hour.by_version["v1"].due

    assert "2028-02-29T23" in counted_due
    assert sum(counted_due.values()) == len(due)
    now = NOW + timedelta(days=2_000)
    assert label_freshness(counted_due, [], now, timedelta(days=7)).due == len(due)
    health = join_health(hour.by_version["v1"], {}, start=NOW, now=now)
    assert health["by_status"] == {"pending": len(due)}


def test_window_is_merged_once() -> None:
    window = WindowProfile({"v1": profile_rows([logged(1)], RULES.features, Task.BINARY), "v2": Profile.empty()})

    assert window.all is window.all


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
