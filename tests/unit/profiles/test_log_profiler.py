"""The log profiler where objects come again, together or late."""

from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hindsight.core.errors import UnreadableObject
from hindsight.lake.object_store import PREDICTIONS, PROFILES, day_prefix
from hindsight.lake.packer import Packer
from hindsight.profiles.logs.hourly import window_profile
from hindsight.profiles.logs.log_profiler import ProfilingReport
from tests.unit.profiles.profiled_logs import DAY, MODEL, NOW, EventfulLake, World, log_key, logged, of_rows, of_window


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


def test_two_workers_on_one_hour_lose_nothing() -> None:
    lake = EventfulLake()
    world = World(lake)
    rows = [logged(24 * number) for number in range(20)]
    first, second = world.write("1", rows[:10]), world.write("2", rows[10:])
    lake.before_change.append(lambda: _check(world.profile(second)))
    _check(world.profile(first))

    assert of_window(world.window()) == of_rows(rows)


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


# Two objects are written again; the hours of one are built anew before the notification of the other.
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


@settings(max_examples=60)
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
