"""Profiles of a log that is packed, encrypted and erased from, and of one that is slow."""

import gzip
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from threading import Lock

import pytest

from hindsight.core.errors import UnreadableObject
from hindsight.lake.object_store import PREDICTIONS, PROFILES, TaggedObject, day_prefix
from hindsight.lake.pack import is_pack
from hindsight.lake.packer import Packer
from hindsight.profiles.logs.day_log import READERS
from hindsight.profiles.logs.hourly import window_profile
from hindsight.profiles.logs.log_profiler import LogProfiler, ProfilingReport
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.profiles.profiled_logs import MODEL, NOW, World, log_key, logged, of_rows, of_window

LATER = NOW + timedelta(days=3)


class CountingLake(InMemoryLake):
    """Counts reads of the log and changes of profiles."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = list[str]()
        self.changes = 0

    def read_tagged(self, key: str) -> TaggedObject:
        self.reads.append(key)
        return super().read_tagged(key)

    def replace_bytes(self, key: str, content: bytes, content_type: str, *, expected: str | None) -> bool:
        self.changes += 1
        return super().replace_bytes(key, content, content_type, expected=expected)


class EncryptedLake(CountingLake):
    """A lake that gives every write another tag, as a bucket does that a customer's key encrypts."""

    def read_tagged(self, key: str) -> TaggedObject:
        return TaggedObject(super().read_tagged(key).content, self._tag(key))

    def tags(self, prefix: str) -> Iterator[tuple[str, str]]:
        yield from ((key, self._tag(key)) for key in self.keys(prefix))

    def replace_bytes(self, key: str, content: bytes, content_type: str, *, expected: str | None) -> bool:
        if (self._tag(key) if key in self.objects else None) != expected:
            return False
        self.changes += 1
        self.write_bytes(key, content, content_type)
        return True

    def _tag(self, key: str) -> str:
        return f'"{self.written[key].timestamp()}"'


def pack(world: World, now: datetime = LATER) -> list[str]:
    """Pack the day; return the packs."""
    Packer(world.lake).sweep(MODEL, now, lambda: True)
    return [key for key in world.lake.keys(f"{PREDICTIONS}/") if is_pack(key)]


def test_equal_bytes_delivered_again_rebuild_nothing_where_tags_are_no_digests() -> None:
    lake = EncryptedLake()
    world = World(lake)
    rows = [logged(number) for number in range(60)]
    keys = [world.write(str(number), rows[number::20]) for number in range(20)]
    world.profile(*keys)
    assert of_window(world.window()) == of_rows(rows)
    before, lake.changes = dict(lake.objects), 0
    lake.reads.clear()

    world.write("7", rows[7::20])
    assert world.profile(log_key("7")).failures == {}

    assert (lake.changes, lake.objects) == (0, before)
    assert [key for key in lake.reads if key.startswith(PREDICTIONS)] == [log_key("7")]


def test_pack_of_profiled_objects_changes_no_profile() -> None:
    lake = CountingLake()
    world = World(lake)
    rows = [logged(number) for number in range(48)]
    world.profile(*(world.write(str(number), rows[number::6]) for number in range(6)))
    lake.changes = 0

    [key] = pack(world)
    report = world.profile(key)

    assert (report.failures, lake.changes) == ({}, 0)
    assert of_window(world.window()) == of_rows(rows)


def test_object_packed_before_it_was_profiled_is_profiled_from_its_pack() -> None:
    world = World()
    rows = [logged(number) for number in range(48)]
    keys = [world.write(str(number), rows[number::6]) for number in range(6)]
    world.profile(*keys[:2])
    [key] = pack(world)

    report = world.profile(*keys[2:], key)

    assert (report.failures, report.rows) == ({}, {key: 32})
    assert of_window(world.window()) == of_rows(rows)


@pytest.mark.parametrize("is_changed", [False, True])
def test_packed_object_that_reappears_counts_once_as_it_is_now(is_changed: bool) -> None:
    world = World()
    rows = [logged(number) for number in range(48)]
    world.profile(*(world.write(str(number), rows[number::6]) for number in range(6)))
    packs = pack(world)

    again = world.write("2", rows[2::6][:3] if is_changed else rows[2::6])
    left = rows if not is_changed else [*(row for n in (0, 1, 3, 4, 5) for row in rows[n::6]), *rows[2::6][:3]]
    for keys in ([again], packs, [again, *packs]):
        assert world.profile(*keys).failures == {}
        assert of_window(world.window()) == of_rows(left)
    world.write("8", [logged(100)])
    packs = pack(world)
    world.profile(log_key("8"), *packs)
    assert of_window(world.window()) == of_rows([*left, logged(100)])


@pytest.mark.parametrize("is_packed_again", [False, True])
def test_late_announcement_of_a_pack_does_not_restore_rewritten_objects(is_packed_again: bool) -> None:
    world = World()
    world.write("1", [logged(6)])
    world.write("2", [logged(7)])
    world.write("3", [logged(8)])
    [late] = pack(world, NOW)
    again = world.write("1", [logged(5)])
    world.profile(again)
    if is_packed_again:
        world.write("4", [logged(9)])
        assert len(pack(world, NOW)) == 2
        assert again not in world.lake.objects

    assert world.profile(late).failures == {}

    assert of_window(world.window()) == of_rows([logged(5), logged(7), logged(8)])


@pytest.mark.parametrize("keeps", [0, 2])
def test_rows_erased_from_a_pack_are_out_of_every_hour(keeps: int) -> None:
    world = World()
    rows = [logged(number) for number in range(48)]
    world.profile(*(world.write(str(number), rows[number::6]) for number in range(6)))
    [key] = pack(world)
    world.profile(key)
    erased = {row["prediction_id"] for row in rows[3::6][keeps:]}
    content = gzip.decompress(world.lake.objects[key]).split(b"\n")
    lines = (line for line in content if not any(f'"{name}"'.encode() in line for name in erased))
    world.lake.write_bytes(key, gzip.compress(b"\n".join(lines)), "application/x-ndjson")

    assert world.profile(key).failures == {}

    assert of_window(world.window()) == of_rows([row for row in rows if row["prediction_id"] not in erased])
    before = dict(world.lake.objects)
    assert world.profile(key).failures == {}
    assert world.lake.objects == before


def test_damaged_hour_is_built_anew_from_packs() -> None:
    world = World()
    rows = [logged(number) for number in range(48)]
    world.profile(*(world.write(str(number), rows[number::6]) for number in range(6)))
    [key] = pack(world)
    world.lake.write_bytes(f"{day_prefix(PROFILES, MODEL, date(2026, 3, 1))}hour=05.profile", b"damaged", "x")
    assert world.profile(key).failures == {}
    world.profile(world.write("9", [logged(5 + 240)]))
    assert of_window(world.window()) == of_rows([*rows, logged(245)])


def test_damaged_pack_is_reported_and_the_others_are_profiled() -> None:
    world = World()
    damaged = f"{day_prefix(PREDICTIONS, MODEL, date(2026, 3, 1))}packed-20260301T000000Z-0000-ab.jsonl.gz"
    world.lake.write_bytes(damaged, b'{"#member":7}\n', "application/x-ndjson")
    report = world.profile(damaged, world.write("1", [logged(1)]))
    assert isinstance(report.failures[damaged], UnreadableObject)
    assert world.window().all.rows == 1


class SlowLake(InMemoryLake):
    """A lake that answers every read after a while."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def read_tagged(self, key: str) -> TaggedObject:
        time.sleep(self.seconds)
        return super().read_tagged(key)

    def read_bytes(self, key: str) -> bytes:
        time.sleep(self.seconds)
        return super().read_bytes(key)


def until(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def erase_from_days(world: World, days: list[date], objects: int) -> list[str]:
    """Profile days of one busy hour, then take a row out of one object of each; return the objects."""
    lake, slow = world.lake, world.lake.seconds  # type: ignore[attr-defined]
    lake.seconds = 0  # type: ignore[attr-defined]
    for day in days:
        prefix = day_prefix(PREDICTIONS, MODEL, day)
        for number in range(objects):
            row = logged(24 * number, occurred_at=f"{day}T05:00:00.000000Z")
            more = logged(24 * number + 5_000, occurred_at=f"{day}T05:00:00.000000Z")
            lake.write_lines(f"{prefix}{number:05d}.jsonl.gz", [row, more])
        world.profile(*lake.keys(prefix))
    rewritten = []
    for day in days:
        key = f"{day_prefix(PREDICTIONS, MODEL, day)}00000.jsonl.gz"
        lake.write_lines(key, [logged(0, occurred_at=f"{day}T05:00:00.000000Z")])
        rewritten.append(key)
    lake.seconds = slow  # type: ignore[attr-defined]
    return rewritten


def rows_left(world: World, days: list[date]) -> list[int]:
    start = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days]
    return [window_profile(world.lake, MODEL, day, day + timedelta(days=1)).all.rows for day in start]


def test_erasure_on_a_busy_model_makes_progress_each_try_until_it_is_done() -> None:
    world = World(SlowLake(0.002))
    days = [date(2026, 3, 1) + timedelta(days=number) for number in range(6)]
    waiting = set(erase_from_days(world, days, objects=240))
    # One day's objects one after another would take half a second, all days three.
    tries = 0
    while waiting:
        report: ProfilingReport = LogProfiler(world.lake, world.configurations, pause=lambda _: None).profile(
            waiting, until(0.4)
        )
        assert report.failures == {}
        assert len(report.postponed) < len(waiting)
        waiting, tries = report.postponed, tries + 1
    assert tries < 5
    assert rows_left(world, days) == [2 * 240 - 1] * 6


def test_busy_hour_is_read_many_objects_at_a_time() -> None:
    class Watched(SlowLake):
        reading, most = 0, 0

        def read_tagged(self, key: str) -> TaggedObject:
            with lock:
                self.reading += 1
                self.most = max(self.most, self.reading)
            try:
                return super().read_tagged(key)
            finally:
                with lock:
                    self.reading -= 1

    lock = Lock()
    lake = Watched(0.005)
    world = World(lake)
    [key] = erase_from_days(world, [date(2026, 3, 1)], objects=100)
    lake.most = 0
    assert world.profile(key).failures == {}
    assert READERS // 2 <= lake.most <= READERS


def test_no_time_at_all_postpones_everything_and_changes_nothing() -> None:
    world = World()
    key = world.write("1", [logged(1)])
    report = LogProfiler(world.lake, world.configurations, pause=lambda _: None).profile([key], lambda: False)
    assert (report.postponed, report.failures) == ({key}, {})
    assert list(world.lake.keys(f"{PROFILES}/")) == []
