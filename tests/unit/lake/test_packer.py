"""Small objects become packs, whatever comes between."""

import gzip
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hindsight.lake import packer as module
from hindsight.lake.object_store import LABELS, PREDICTIONS, day_prefix, model_prefix
from hindsight.lake.pack import is_full, is_pack, parts_of
from hindsight.lake.packer import MAX_OPEN, MAX_SETTLED, Packer, PackingFailed, PackingReport
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.lake.crashes import Crash, CrashingLake
from tests.unit.training.world import MODEL

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = day_prefix(PREDICTIONS, MODEL, NOW.date())


def write(lake: InMemoryLake, name: str, *ids: str, kind: str = PREDICTIONS, days_ago: int = 0) -> str:
    key = f"{day_prefix(kind, MODEL, (NOW - timedelta(days=days_ago)).date())}{name}.jsonl.gz"
    lake.write_lines(key, [{"prediction_id": one} for one in ids])
    return key


def pack(lake: InMemoryLake, now: datetime = NOW, has_time: Callable[[], bool] = lambda: True) -> PackingReport:
    return Packer(lake).sweep(MODEL, now, has_time)


def ids(lake: InMemoryLake) -> Counter[str]:
    return Counter(row["prediction_id"] for key in lake.keys("") for row in lake.read_lines(key))


def names(lake: InMemoryLake, prefix: str = "") -> list[str]:
    return [key.rpartition("/")[2] for key in lake.keys(prefix)]


@pytest.mark.parametrize("kind", [PREDICTIONS, LABELS])
def test_objects_of_an_hour_become_one_pack_that_keeps_them_apart(kind: str) -> None:
    lake = InMemoryLake()
    keys = [write(lake, str(number), f"a{number}", f"b{number}", kind=kind) for number in range(5)]
    before = dict(lake.objects)

    report = pack(lake)

    assert (report.objects, report.packs, report.is_complete) == (5, 1, True)
    [key] = lake.objects
    parts = list(parts_of(key, lake.objects[key]))
    assert is_pack(key)
    assert [part.member.key for part in parts] == keys
    assert [part.content + b"\n" for part in parts] == list(before.values())
    assert pack(lake).objects == 0


def test_a_single_object_stays_as_it_is() -> None:
    lake = InMemoryLake()
    write(lake, "1", "a")
    assert pack(lake).objects == 0
    assert names(lake) == ["1.jsonl.gz"]


def test_a_day_keeps_few_objects_however_many_hours_wrote_to_it() -> None:
    lake = InMemoryLake()
    sent = [f"{hour}-{number}" for hour in range(24) for number in range(4)]
    for hour in range(24):
        for number in range(4):
            write(lake, f"{hour:02d}{number}", f"{hour}-{number}")
        pack(lake)
        assert len(lake.objects) <= MAX_OPEN + 1
    pack(lake, NOW + timedelta(days=3))
    assert len(lake.objects) <= MAX_SETTLED
    assert ids(lake) == Counter(sent)


def test_packs_are_cut_at_their_size_and_full_ones_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.PACK_BYTES, PREDICTIONS, 2_000)
    lake = InMemoryLake()
    for hour in range(12):
        for number in range(10):
            write(lake, f"{hour:02d}{number}", f"{hour}-{number}")
        pack(lake)
    pack(lake, NOW + timedelta(days=3))
    full = {key: content for key, content in lake.objects.items() if is_full(key)}
    assert len(full) >= 5
    assert all(2_000 <= len(gzip.decompress(content)) < 2_300 for content in full.values())
    write(lake, "late", "late")
    write(lake, "later", "later")
    pack(lake, NOW + timedelta(days=3))
    assert full.items() <= lake.objects.items()
    assert set(ids(lake).values()) == {1}
    assert len(ids(lake)) == 122


def test_label_records_of_settled_days_are_left_to_parquet() -> None:
    lake = InMemoryLake()
    for number in range(3):
        write(lake, str(number), f"a{number}", kind=LABELS, days_ago=3)
        write(lake, f"merged-{number}", f"b{number}", kind=LABELS)
    assert pack(lake).objects == 0


def test_recent_days_are_packed_before_a_backlog() -> None:
    lake = InMemoryLake()
    for days_ago in (0, 1, 30, 31):
        for number in range(3):
            write(lake, str(number), f"{days_ago}-{number}", days_ago=days_ago)
    answers = iter([True] * 2 * (1 + 3))  # two days of three objects
    assert not pack(lake, has_time=lambda: next(answers, False)).is_complete
    assert [is_pack(key) for key in lake.keys(TODAY)] == [True]
    assert not any(is_pack(key) for key in lake.keys(day_prefix(PREDICTIONS, MODEL, (NOW - timedelta(days=30)).date())))


@pytest.mark.parametrize("turns", range(1, 9))
def test_objects_left_when_time_is_over_are_packed_by_the_next_sweep(turns: int) -> None:
    lake = InMemoryLake()
    for number in range(6):
        write(lake, str(number), str(number))
    answers = iter([True] * turns)
    pack(lake, has_time=lambda: next(answers, False))
    assert ids(lake) == Counter(map(str, range(6)))
    pack(lake)
    assert len(lake.objects) <= 2
    assert ids(lake) == Counter(map(str, range(6)))


@pytest.mark.parametrize("is_done_first", [False, True])
@pytest.mark.parametrize("step", range(1, 6))
def test_a_crash_anywhere_loses_nothing_and_the_next_sweep_leaves_each_row_once(step: int, is_done_first: bool) -> None:
    lake = CrashingLake()
    for number in range(4):
        write(lake, str(number), str(number))
    lake.left, lake.is_done_first = step, is_done_first
    with pytest.raises(PackingFailed, match="Crash"):
        pack(lake)
    assert set(ids(lake)) == set("0123")
    lake.left = 0
    for days in (0, 3, 3):
        pack(lake, NOW + timedelta(days=days))
        assert set(ids(lake)) == set("0123")
    write(lake, "4", "4")
    write(lake, "5", "5")
    pack(lake, NOW + timedelta(days=3))
    assert ids(lake) == Counter("012345")


def test_an_object_written_again_meanwhile_is_not_lost() -> None:
    lake = InMemoryLake()
    first, _ = write(lake, "1", "a"), write(lake, "2", "b")

    class Overtaken(InMemoryLake):
        def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
            InMemoryLake.write_bytes(self, key, content, content_type)
            InMemoryLake.write_lines(self, first, [{"prediction_id": "new"}])

    other = Overtaken()
    other.objects = lake.objects
    pack(other)
    assert first in other.objects
    assert set(ids(other)) == {"a", "b", "new"}


class Forgetful(InMemoryLake):
    """A lake that does not give back the written bytes."""

    def read_bytes(self, key: str) -> bytes:
        content = super().read_bytes(key)
        return content[:-1] if is_pack(key) else content


def test_nothing_is_removed_before_its_pack_reads_back() -> None:
    lake = Forgetful()
    keys = [write(lake, str(number), str(number)) for number in range(3)]
    with pytest.raises(PackingFailed, match="does not read back"):
        pack(lake)
    assert set(keys) <= set(lake.objects)


def test_damaged_objects_stay_and_are_reported() -> None:
    lake = InMemoryLake()
    for number in range(3):
        write(lake, str(number), str(number))
    lake.objects[f"{TODAY}broken.jsonl.gz"] = gzip.compress(b"x" * 100)[:-10]
    assert pack(lake).unreadable == [f"{TODAY}broken.jsonl.gz"]
    assert f"{TODAY}broken.jsonl.gz" in lake.objects


FOREIGN = (
    "",
    "about.txt",
    "zoo/date=2026-03-10/1.jsonl.gz",
    "date=2026-02-30/1.jsonl.gz",
    "date=yesterday/1.jsonl.gz",
    "date=2026-03-10/",
    "date=2026-03-10/notes.txt",
    "date=2026-03-10/copy/1.jsonl.gz",
    "date=2026-03-10",
)


@pytest.mark.parametrize("kind", [PREDICTIONS, LABELS])
@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_object_stays_and_is_reported_once_and_the_others_are_packed(kind: str, name: str) -> None:
    lake = InMemoryLake()
    for number in range(3):
        write(lake, str(number), f"a{number}", kind=kind)
        write(lake, str(number), f"b{number}", kind=kind, days_ago=1)
    foreign = f"{model_prefix(kind, MODEL)}{name}"
    lake.objects[foreign] = b"not a row"

    report = pack(lake)

    assert report.unreadable == [foreign]
    assert report.objects == 6
    assert lake.objects.pop(foreign) == b"not a row"
    assert sum(ids(lake).values()) == 6


def test_a_day_that_fails_does_not_keep_the_others_from_being_packed() -> None:
    lake = InMemoryLake()
    for number in range(3):
        write(lake, str(number), f"a{number}")
        write(lake, str(number), f"b{number}", days_ago=5)

    class Refusing(InMemoryLake):
        def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
            if key.startswith(TODAY):
                raise Crash
            super().write_bytes(key, content, content_type)

    other = Refusing()
    other.objects = lake.objects
    with pytest.raises(PackingFailed, match=f"predictions of {MODEL} 2026-03-10"):
        pack(other)
    assert len(list(other.keys(TODAY))) == 3
    assert len(other.objects) == 4


def test_objects_emptied_by_an_erasure_are_not_packed_again() -> None:
    lake = InMemoryLake()
    write(lake, "1", "a")
    write(lake, "2", "b")
    pack(lake)
    [key] = lake.objects
    left = [line for line in gzip.decompress(lake.objects[key]).split(b"\n") if b'"a"' not in line]
    lake.objects[key] = gzip.compress(b"\n".join(left))
    write(lake, "3", "c")
    write(lake, "4", "d")
    pack(lake, NOW + timedelta(days=3))
    [key] = lake.objects
    assert [part.member.key.rpartition("/")[2] for part in parts_of(key, lake.objects[key])] == [
        "2.jsonl.gz",
        "3.jsonl.gz",
        "4.jsonl.gz",
    ]


def test_an_object_that_comes_again_is_kept_once_and_one_that_changed_twice() -> None:
    lake = InMemoryLake()
    write(lake, "1", "a")
    write(lake, "2", "b")
    pack(lake)
    write(lake, "1", "a")
    write(lake, "2", "b", "c")
    pack(lake)
    pack(lake, NOW + timedelta(days=3))
    write(lake, "3", "d")
    pack(lake, NOW + timedelta(days=3))
    assert ids(lake) == Counter({"a": 1, "b": 2, "c": 1, "d": 1})
