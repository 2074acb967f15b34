import csv
import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hindsight.core.errors import UnusableDataset
from hindsight.datasets.building.snapshot import take_snapshot
from hindsight.datasets.dataset import Manifest
from hindsight.datasets.records.athena_query import COLUMNS, ChosenRecords, chosen_by, plan_query
from hindsight.datasets.records.record_scan import Span
from hindsight.lake.object_store import query_prefix
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.datasets.builders import build
from tests.unit.datasets.compactions import AS_OF, compact, files, lake_of
from tests.unit.training.world import MODEL, example, learnable, revision, store

DECISION, QUERY = "decision-1", "0a1b"
DATABASE = "hindsight-lake"
SPAN = Span(AS_OF - revision().configuration.training.window, AS_OF)
Rows = Sequence[tuple[Any, ...]]


def as_athena_writes(rows: Rows) -> str:
    """Everything quoted but what is null."""
    lines = [[f'"{name}"' for name in COLUMNS]]
    lines += [["" if value is None else '"' + str(value).replace('"', '""') + '"' for value in row] for row in rows]
    return "".join(",".join(line) + "\n" for line in lines)


def as_the_emulator_writes(rows: Rows) -> str:
    """Quoted where it must be."""
    written = io.StringIO()
    csv.writer(written).writerows(
        [tuple(COLUMNS), *(["" if value is None else value for value in row] for row in rows)]
    )
    return written.getvalue()


def ask(lake: InMemoryLake, write: Callable[[Rows], str] = as_athena_writes) -> ChosenRecords:
    """Plan the query, have it answered by a database, and return what it chose."""
    query = plan_query(lake, MODEL, DECISION, SPAN, DATABASE)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        for key in files(lake):
            path = Path(folder, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            lake.download(key, path)
        found = f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true, hive_types_autocast = false)"
        connection.execute(f'CREATE SCHEMA "{DATABASE}"')
        connection.execute(f'CREATE VIEW "{DATABASE}".label_records AS FROM {found}')
        rows = connection.execute(query).fetchall()
    lake.write_bytes(f"{query_prefix(MODEL, DECISION)}{QUERY}.csv", write(rows).encode(), "text/csv")
    return chosen_by(lake, MODEL, DECISION, QUERY)


@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([as_athena_writes, as_the_emulator_writes]))
@settings(max_examples=8, deadline=None)
def test_dataset_does_not_depend_on_the_engine_that_chose_its_records(
    seed: int, pieces: int, write: Callable[[Rows], str]
) -> None:
    random = Random(seed)
    rows = learnable(48, seed=seed)
    amendments = [
        replace(row, seq=row.seq + further, value=value, kind=kind)
        for row in rows
        for further in range(1, random.randint(1, 4))
        for value, kind in [(random.choice([0, 1, None]), random.choice(["manual", "outcome", "default"]))]
    ]
    picked = [replace(row, selection_probability=random.random()) for row in rows[::5]]
    odd = [
        example(
            1, prediction_id='a "quoted", name\nof two lines', features={"hour": 'x,"y"\r\n', "temperature": 1e-300}
        ),
        example(2, prediction_id="NULL", features={"hour": "", "temperature": 0.1 + 0.2}, entity_id="''"),
    ]
    before, after = [*rows, *amendments[::2], *odd], [*amendments[1::2], *picked]
    lake = lake_of(before, pieces)
    compact(lake)
    store(lake, after)  # what comes after the sweep is not compacted yet
    expected = build(lake, AS_OF)

    found = build(lake, AS_OF, chosen=ask(lake, write))

    assert found.contents == expected.contents
    assert found.manifest.digest == expected.manifest.digest
    assert {row.prediction_id for row in odd} < expected.ids


def test_a_snapshot_of_chosen_records_is_the_same_dataset() -> None:
    lake = lake_of(learnable(600))
    compact(lake)
    expected = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(expected, Manifest)
    assert take_snapshot(lake, revision(), AS_OF, chosen=ask(lake)) == expected


def test_one_record_a_prediction_is_chosen() -> None:
    rows = learnable(48)
    older = [replace(row, seq=seq, value=seq % 2) for row in rows for seq in range(2, 20)]
    lake = lake_of([*rows, *older])
    compact(lake)
    answer = lake.objects[ask(lake).key].decode()
    assert answer.count("\n") == 1 + len(rows)


def test_a_file_that_compaction_adds_after_the_plan_is_read_beside_the_answer() -> None:
    lake = lake_of(learnable(600))
    compact(lake)
    chosen = ask(lake)
    store(lake, [example(3, prediction_id="late")])
    compact(lake)
    assert "late" in build(lake, AS_OF, chosen=chosen).ids


def test_query_without_a_result_is_reported() -> None:
    lake = lake_of(learnable(48))
    plan_query(lake, MODEL, DECISION, SPAN, DATABASE)
    with pytest.raises(UnusableDataset, match="left 0 answers"):
        chosen_by(lake, MODEL, DECISION, QUERY)
