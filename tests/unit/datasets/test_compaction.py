import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.config.parse import parse_configuration
from hindsight.config.store import ConfigurationRevision
from hindsight.core.errors import UnusableDataset
from hindsight.datasets.building.compaction import Compaction, CompactionFailed, CompactionReport
from hindsight.datasets.building.snapshot import Dataset, rebuild, take_snapshot
from hindsight.entities.label_row import LabelRow
from hindsight.label_records.window import labels_in_window
from hindsight.lake.object_store import LABELS, day_prefix
from hindsight.lake.pack import is_pack
from hindsight.lake.packer import Packer
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from tests.unit.datasets.builders import build
from tests.unit.labels.new_label_oracle import count_new_labels
from tests.unit.training.world import MODEL, START, example, learnable, revision, store

AS_OF = START + timedelta(days=30)
LONG_AFTER = AS_OF + timedelta(days=10)
CHANGES = 2 * (1 + 1 + 2)  # of two days: the file, the lines, and two objects that go
FULL_WINDOW = timedelta(days=60)


def compaction(lake: InMemoryLake, **sections: Any) -> Compaction:
    return Compaction(lake, InMemoryConfigurations(revision(**sections).configuration))


def compact(lake: InMemoryLake, now: datetime = LONG_AFTER, **sections: Any) -> CompactionReport:
    return compaction(lake, **sections).sweep(MODEL, now, lambda: True)


def lake_of(examples: list[LabelRow], pieces: int = 3) -> InMemoryLake:
    """Return a lake that holds label rows as the stream writes them: several objects a day."""
    lake = InMemoryLake()
    for piece in range(pieces):
        store(lake, examples[piece::pieces])
    return lake


def small(lake: InMemoryLake) -> list[str]:
    return [key for key in lake.keys("labels/") if "/merged-" not in key]


def files(lake: InMemoryLake) -> list[str]:
    return list(lake.keys("compacted/"))


def test_a_day_s_objects_become_one_file_and_one_object_of_the_same_lines() -> None:
    lake = lake_of(learnable(48))
    day = "labels/model=demand/date=2026-03-02/"
    lines = {line for key in lake.keys(day) for line in lake.read_raw_lines(key)}

    report = compact(lake)

    assert (report.objects, report.records, report.files, report.is_complete) == (6, 48, 2, True)
    [merged] = lake.keys(day)
    [file] = lake.keys("compacted/model=demand/date=2026-03-02/")
    assert merged.rpartition("/")[2] == f"merged-{Path(file).stem}.jsonl.gz"
    assert set(gzip.decompress(lake.objects[merged]).splitlines(keepends=True)) == lines


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


def test_a_file_is_a_table_that_anybody_can_query(tmp_path: Path) -> None:
    rows = [
        example(1, features={"temperature": 0.5, "hour": 8, "holiday": True}, entity_id="customer-1"),
        example(2, features={"temperature": None, "hour": "8", "holiday": None, "old": 1.0}, value=None),
        example(3, features={"temperature": "warm", "hour": 7.5, "holiday": False}, selection_probability=0.1),
    ]
    lake = lake_of(rows, pieces=1)
    compact(lake)
    lake.download(files(lake)[0], tmp_path / "file.parquet")

    found = duckdb.sql(
        f"""SELECT prediction_id, value, entity_id, selection_probability, "feature.temperature", "feature.hour",
        "feature.holiday", unfit, features, occurred_us, object FROM '{tmp_path}/file.parquet' ORDER BY 1"""
    ).fetchall()

    assert [row[:8] for row in found] == [
        ("p00001", "1", "customer-1", None, 0.5, "8", True, None),
        ("p00002", None, None, None, None, "8", None, None),
        ("p00003", "1", None, 0.1, None, "7.5", False, '["temperature"]'),
    ]
    assert json.loads(found[1][8]) == rows[1].features
    assert datetime.fromtimestamp(found[0][9] / 1e6, UTC) == rows[0].occurred_at
    assert found[0][10] == "labels/model=demand/date=2026-03-02/00000.jsonl.gz"


def test_nothing_reads_differently_after_compaction() -> None:
    rows = learnable(600)
    amended = [replace(row, seq=2, value=1, known_at=row.known_at + timedelta(hours=30)) for row in rows[:50]]
    lake = lake_of([*rows, *amended])

    def read() -> Any:
        built = build(lake, AS_OF)
        labels = labels_in_window(lake, MODEL, AS_OF, FULL_WINDOW, ["hour"])
        counts = [
            count_new_labels(lake, MODEL, since=since, as_of=AS_OF, window=FULL_WINDOW)
            for since in (None, START + timedelta(days=10))
        ]
        return built.manifest.digest, built.contents, labels, counts

    before = read()
    compact(lake)
    assert small(lake) == []
    assert read() == before


def test_a_dataset_of_small_objects_is_built_again_from_what_they_became() -> None:
    lake = lake_of(learnable(600))
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Dataset)
    compact(lake, now=AS_OF - timedelta(days=10))
    compact(lake)
    assert small(lake) == []
    with rebuild(lake, taken.manifest, revision()) as again:
        assert again.manifest == taken.manifest
    assert take_snapshot(lake, revision(), AS_OF) == taken


def test_a_dataset_of_files_is_built_again_and_a_file_that_changed_is_noticed() -> None:
    lake = lake_of(learnable(600))
    compact(lake)
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Dataset)
    assert {source.key.split("/")[0] for source in taken.manifest.sources} == {"compacted"}
    with rebuild(lake, taken.manifest, revision()) as again:
        assert again.manifest == taken.manifest
    one, other = files(lake)[:2]
    lake.objects[one] = lake.objects[other]
    with pytest.raises(UnusableDataset, match=one), rebuild(lake, taken.manifest, revision()):
        pass
    del lake.objects[one]
    with pytest.raises(UnusableDataset, match=one), rebuild(lake, taken.manifest, revision()):
        pass


class Crash(Exception):
    pass


class CrashingLake(InMemoryLake):
    """Fails the n-th change, before it or after it."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__()
        self.objects = dict(objects)
        self.left: float = float("inf")
        self.is_done_first = False

    def _change(self, change: Callable[[], None]) -> None:
        self.left -= 1
        if self.left == 0 and not self.is_done_first:
            raise Crash
        change()
        if self.left == 0:
            raise Crash

    def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
        self._change(lambda: InMemoryLake.write_bytes(self, key, content, content_type))

    def delete(self, key: str) -> None:
        self._change(lambda: InMemoryLake.delete(self, key))


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


def test_objects_that_hold_no_label_records_stay_and_are_told() -> None:
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


def test_what_time_does_not_suffice_for_is_left_to_the_next_sweep() -> None:
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


@given(st.integers(0, 10_000), st.integers(1, 7), st.booleans())
@settings(max_examples=20, deadline=None)
def test_a_dataset_does_not_tell_how_its_records_were_spread(seed: int, pieces: int, is_compacted: bool) -> None:
    random = Random(seed)
    rows = learnable(60, seed=1)
    rows += [replace(row, seq=2, value=random.randint(0, 1), kind="manual") for row in rows[::7]]
    rows += [replace(row, selection_probability=0.25) for row in rows[::5]]
    expected = build(lake_of(rows, pieces=1), AS_OF)
    delivered = [*rows, *random.choices(rows, k=20)]
    random.shuffle(delivered)
    lake = lake_of(delivered, pieces)
    if is_compacted:
        compact(lake)
        store(lake, random.choices(rows, k=10))
    assert build(lake, AS_OF).contents == expected.contents


@pytest.mark.parametrize(
    "features",
    [
        {"hour": {"type": "numeric"}, "temperature": {"type": "categorical"}, "holiday": {"type": "boolean"}},
        {"wind": {"type": "numeric"}, "Hour": {"type": "categorical"}, "hour": {"type": "numeric"}},
        {"holiday": {"type": "categorical"}},
    ],
)
def test_columns_of_another_configuration_than_compaction_s_are_read_from_what_was_logged(features: Any) -> None:
    document = {**revision().configuration.model_dump(mode="json"), "features": features}
    changed = ConfigurationRevision(2, parse_configuration(document))
    rows = [replace(row, features={**row.features, "Hour": "x", "wind": 1 + n}) for n, row in enumerate(learnable(60))]
    lake = lake_of(rows)
    expected = build(lake, AS_OF, changed)
    compact(lake)
    found = build(lake, AS_OF, changed)
    assert found.contents == expected.contents
    assert found.manifest.unfit == expected.manifest.unfit


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


def packed(lake: InMemoryLake, day: int = 2) -> list[str]:
    """Pack what a recent sweep would; return the packs."""
    Packer(lake).sweep(MODEL, START + timedelta(days=day), lambda: True)
    return [key for key in lake.keys("labels/") if is_pack(key)]


def test_nothing_reads_differently_from_packs() -> None:
    rows = learnable(600)
    amended = [replace(row, seq=2, value=1, known_at=row.known_at + timedelta(hours=30)) for row in rows[:50]]
    lake = lake_of([*rows, *amended], pieces=5)

    def read() -> Any:
        labels = labels_in_window(lake, MODEL, AS_OF, FULL_WINDOW, ["hour"])
        count = count_new_labels(lake, MODEL, since=None, as_of=AS_OF, window=FULL_WINDOW)
        return build(lake, AS_OF).manifest, build(lake, AS_OF).contents, labels, count

    before, objects = read(), len(lake.objects)
    assert len(packed(lake, 0)) > 20
    assert len(lake.objects) < objects / 3
    assert read() == before
    compact(lake)
    assert small(lake) == []
    assert read()[1:] == before[1:]


def test_a_dataset_of_small_objects_is_built_again_from_packs_and_from_what_these_became() -> None:
    lake = lake_of(learnable(600))
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Dataset)
    packed(lake, 0)
    other = take_snapshot(lake, revision(), AS_OF)
    assert other == taken
    for _ in range(2):
        with rebuild(lake, taken.manifest, revision()) as again:
            assert again.manifest == taken.manifest
        compact(lake)
    assert not any(is_pack(key) for key in lake.objects)


def test_a_dataset_that_was_taken_from_packs_names_the_objects_in_them() -> None:
    lake = lake_of(learnable(600))
    names = set(small(lake))
    packed(lake, 0)
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Dataset)
    assert {source.key for source in taken.manifest.sources} <= names
    removed = next(key for key in lake.objects if is_pack(key))
    del lake.objects[removed]
    unnamed = "is not the one the manifest names"
    with pytest.raises(UnusableDataset, match=unnamed), rebuild(lake, taken.manifest, revision()):
        pass


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
