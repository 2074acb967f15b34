"""Compactions that meet crashes, foreign objects and other writers."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.config.parse import parse_configuration
from hindsight.config.store import ConfigurationRevision
from hindsight.core.errors import UnusableDataset
from hindsight.datasets.building.snapshot import rebuild, take_snapshot
from hindsight.datasets.dataset import Manifest
from hindsight.label_records.window import labels_in_window
from hindsight.lake.pack import is_pack
from tests.unit.datasets.builders import build
from tests.unit.datasets.compactions import (
    AS_OF,
    FULL_WINDOW,
    compact,
    files,
    lake_of,
    packed,
    small,
)
from tests.unit.labels.new_label_oracle import count_new_labels
from tests.unit.training.world import MODEL, START, example, learnable, revision, store


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


def test_file_is_a_table_for_any_query_engine(tmp_path: Path) -> None:
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


def test_dataset_of_small_objects_is_rebuilt_from_compacted_ones() -> None:
    lake = lake_of(learnable(600))
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Manifest)
    compact(lake, now=AS_OF - timedelta(days=10))
    compact(lake)
    assert small(lake) == []
    with rebuild(lake, taken, revision()) as again:
        assert again.manifest == taken
    assert take_snapshot(lake, revision(), AS_OF) == taken


def test_a_dataset_of_files_is_built_again_and_a_file_that_changed_is_noticed() -> None:
    lake = lake_of(learnable(600))
    compact(lake)
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Manifest)
    assert {source.key.split("/")[0] for source in taken.sources} == {"compacted"}
    with rebuild(lake, taken, revision()) as again:
        assert again.manifest == taken
    one, other = files(lake)[:2]
    lake.objects[one] = lake.objects[other]
    with pytest.raises(UnusableDataset, match=one), rebuild(lake, taken, revision()):
        pass
    del lake.objects[one]
    with pytest.raises(UnusableDataset, match=one), rebuild(lake, taken, revision()):
        pass


@given(st.integers(0, 10_000), st.integers(1, 7), st.booleans())
@settings(max_examples=20, deadline=None)
def test_dataset_does_not_depend_on_how_its_records_were_spread(seed: int, pieces: int, is_compacted: bool) -> None:
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
def test_columns_unknown_to_the_compaction_are_read_from_logged_features(features: Any) -> None:
    document = {**revision().configuration.model_dump(mode="json"), "features": features}
    changed = ConfigurationRevision(2, parse_configuration(document))
    rows = [replace(row, features={**row.features, "Hour": "x", "wind": 1 + n}) for n, row in enumerate(learnable(60))]
    lake = lake_of(rows)
    expected = build(lake, AS_OF, changed)
    compact(lake)
    found = build(lake, AS_OF, changed)
    assert found.contents == expected.contents
    assert found.manifest.unfit == expected.manifest.unfit


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


def test_dataset_of_small_objects_is_rebuilt_from_packs_and_their_compactions() -> None:
    lake = lake_of(learnable(600))
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Manifest)
    packed(lake, 0)
    other = take_snapshot(lake, revision(), AS_OF)
    assert other == taken
    for _ in range(2):
        with rebuild(lake, taken, revision()) as again:
            assert again.manifest == taken
        compact(lake)
    assert not any(is_pack(key) for key in lake.objects)


def test_a_dataset_that_was_taken_from_packs_names_the_objects_in_them() -> None:
    lake = lake_of(learnable(600))
    names = set(small(lake))
    packed(lake, 0)
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Manifest)
    assert {source.key for source in taken.sources} <= names
    removed = next(key for key in lake.objects if is_pack(key))
    del lake.objects[removed]
    unnamed = "is not the one the manifest names"
    with pytest.raises(UnusableDataset, match=unnamed), rebuild(lake, taken, revision()):
        pass
