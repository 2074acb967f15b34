"""Compactions that meet crashes, foreign objects and other writers."""

import json
from datetime import date, timedelta
from pathlib import Path
from threading import Lock

import pytest

from hindsight.datasets.building.compaction import CompactionFailed
from hindsight.entities.label_row import LabelRow
from hindsight.label_records.window import labels_in_window
from hindsight.lake.object_store import LABELS, day_prefix
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.datasets.builders import build
from tests.unit.datasets.compactions import (
    AS_OF,
    FULL_WINDOW,
    LONG_AFTER,
    compact,
    compaction,
    files,
    lake_of,
    packed,
    small,
)
from tests.unit.labels.new_label_oracle import count_new_labels
from tests.unit.lake.crashes import CrashingLake
from tests.unit.training.world import MODEL, START, example, learnable, store

CHANGES = 2 * (1 + 1 + 2)  # of two days: the file, the lines, and two objects that go


@pytest.mark.parametrize(
    "name", ["", "about.txt", "date=2026-02-30/1.jsonl.gz", "date=2026-03-02/", "date=2026-03-02/copy/1.jsonl.gz"]
)
def test_foreign_object_stays_and_is_reported_and_the_days_are_compacted(name: str) -> None:
    lake = lake_of(learnable(48))
    foreign = f"labels/model=demand/{name}"
    lake.objects[foreign] = b"not a record"

    report = compact(lake)

    assert report.unreadable == [foreign]
    assert (report.objects, report.records, report.files) == (6, 48, 2)
    assert lake.objects[foreign] == b"not a record"
    assert len(build(lake, LONG_AFTER).manifest.sources) > 0


@pytest.mark.parametrize("is_done_first", [False, True])
def test_a_crash_anywhere_loses_nothing_and_doubles_nothing(is_done_first: bool) -> None:
    objects = lake_of(learnable(48), pieces=2).objects
    as_of = START + timedelta(days=5)
    expected = build(CrashingLake(objects), as_of).contents
    for step in range(1, CHANGES + 1):
        lake = CrashingLake(objects)
        lake.left, lake.is_done_first = step, is_done_first
        with pytest.raises(CompactionFailed, match="Crash"):
            compact(lake)
        lake.left = float("inf")
        assert build(lake, as_of).contents == expected
        compact(lake)
        assert build(lake, as_of).contents == expected
        assert small(lake) == []


def test_a_late_object_makes_a_further_file_and_changes_none() -> None:
    lake = lake_of(learnable(48))
    compact(lake)
    before = {key: lake.objects[key] for key in files(lake)}
    late = example(3, prediction_id="late", selection_probability=0.1)
    store(lake, [late])

    assert compact(lake).files == 1

    assert {key: lake.objects[key] for key in before} == before
    assert len(files(lake)) == len(before) + 1
    assert "late" in build(lake, AS_OF).ids


def test_an_object_written_again_meanwhile_is_not_lost() -> None:
    lake = lake_of(learnable(24), pieces=1)
    [key] = small(lake)

    class Rewritten(InMemoryLake):
        def upload(self, path: Path, key: str, content_type: str) -> None:
            super().upload(path, key, content_type)
            self.objects[written] += gzip_line(example(30, prediction_id="more"))

    def gzip_line(row: LabelRow) -> bytes:
        return json.dumps(row.to_row()).encode() + b"\n"

    written = key
    other = Rewritten()
    other.objects = lake.objects
    compact(other)
    assert small(other) == [key]
    assert "more" in build(other, AS_OF).ids
    compact(lake)
    assert small(lake) == []
    assert "more" in build(lake, AS_OF).ids


def test_objects_without_label_records_stay_and_are_reported() -> None:
    lake = lake_of(learnable(24))
    broken = f"{day_prefix(LABELS, MODEL, date(2026, 3, 2))}broken.jsonl.gz"
    lake.objects[broken] = b'{"prediction_id":"p"}\n'
    report = compact(lake)
    assert (report.unreadable, small(lake)) == ([broken], [broken])
    assert report.records == 24


def test_days_that_have_not_settled_stay_as_they_are() -> None:
    lake = lake_of(learnable(24 * 5))
    compact(lake, now=START + timedelta(days=4))
    assert {key.split("date=")[1][:10] for key in small(lake)} == {
        "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06"
    }  # fmt: skip


def test_work_left_when_time_is_over_is_done_by_the_next_sweep() -> None:
    lake = lake_of(learnable(24 * 5))
    answers = iter([True, True, False])
    report = compaction(lake).sweep(MODEL, LONG_AFTER, lambda: next(answers))
    assert (report.files, report.is_complete) == (1, False)
    assert compact(lake).files == 4
    assert compact(lake).files == 0


def test_a_day_that_fails_does_not_keep_the_others_from_being_compacted() -> None:
    lake = lake_of(learnable(24 * 3))

    class Corrupting(InMemoryLake):
        def download(self, key: str, path: Path) -> None:
            super().download(key, path)
            if "2026-03-03" in key:
                path.write_bytes(path.read_bytes()[:-1] + b"x")

    other = Corrupting()
    other.objects = lake.objects
    with pytest.raises(CompactionFailed, match="demand 2026-03-03"):
        compact(other)
    assert {key.split("date=")[1][:10] for key in small(other)} == {"2026-03-03"}


class Overtaken(InMemoryLake):
    """Is compacted between the list and the first read."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__()
        self.objects = dict(objects)
        self.lock, self.is_compacted = Lock(), False

    def read_bytes(self, key: str) -> bytes:
        with self.lock:
            if not self.is_compacted:
                self.is_compacted, held = True, InMemoryLake()
                held.objects = self.objects
                compact(held)
        return super().read_bytes(key)


def test_readers_overtaken_by_a_compaction_miss_nothing() -> None:
    rows = learnable(600)
    still = lake_of(rows)

    def overtaken() -> Overtaken:
        return Overtaken(still.objects)

    def count(lake: InMemoryLake) -> int:
        return count_new_labels(lake, MODEL, since=None, as_of=AS_OF, window=FULL_WINDOW)

    assert count(overtaken()) == count(still) == 600
    window = (MODEL, AS_OF, FULL_WINDOW, ["hour"])
    assert labels_in_window(overtaken(), *window) == labels_in_window(still, *window)
    assert build(overtaken(), AS_OF).contents == build(still, AS_OF).contents


class PackedMeanwhile(InMemoryLake):
    """Is packed between the list and the first read."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__()
        self.objects, self.lock, self.is_packed = dict(objects), Lock(), False

    def read_bytes(self, key: str) -> bytes:
        with self.lock:
            if not self.is_packed:
                self.is_packed, held = True, InMemoryLake()
                held.objects = self.objects
                packed(held, 0)
        return super().read_bytes(key)


def test_readers_overtaken_by_a_packer_miss_nothing() -> None:
    still = lake_of(learnable(600))
    window = (MODEL, AS_OF, FULL_WINDOW, ["hour"])
    assert labels_in_window(PackedMeanwhile(still.objects), *window) == labels_in_window(still, *window)
    assert build(PackedMeanwhile(still.objects), AS_OF).contents == build(still, AS_OF).contents
