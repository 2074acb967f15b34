"""The speed and the memory of a snapshot from compacted label records: the task of the peers' floors.

Two million records of twenty numeric features, a tenth of them amended labels: as of a moment, the latest record of
every prediction, matured, split in time, digested and written as the parts of a dataset; then all exported as one
file. On one processor, each in a separate process. The floor is duckdb alone on the same files: the latest record by
prediction, then a semi-join, as arrays.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.folder_lake import folder_lake
from hindsight.config.parse import parse_configuration
from hindsight.config.store import ConfigurationRevision
from hindsight.core.jobs import Job, JobKind
from hindsight.core.times import format_time
from hindsight.datasets.building.snapshot import take_snapshot
from hindsight.datasets.dataset import Manifest
from hindsight.datasets.exports.export_requests import LAST, REVISION
from hindsight.datasets.exports.label_export import LabelExporter
from hindsight.datasets.formats.record_table import (
    ADDED_FIELDS,
    FEATURE_PREFIX,
    JSON_FIELDS,
    MOMENTS,
    PARQUET,
    PLAIN_FIELDS,
    connect,
    escaped,
    write_records,
)
from hindsight.datasets.records.record_files import file_digest
from hindsight.lake.object_store import COMPACTED, day_prefix
from hindsight.testing.jobs.job_store import InMemoryJobs
from hindsight.testing.models.configurations import InMemoryConfigurations

MODEL = "bench"
RECORDS, FEATURES, FILES = 2_000_000, 20, 20
RUNS = 3  # of which the quickest counts: neighbours only ever add; product and floor run in turn, to meet the same ones
AMENDED = 0.1
START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 20
AS_OF = START + timedelta(days=DAYS + 5)


def measure(records: int = RECORDS, features: int = FEATURES, seed: int = 7) -> dict[str, Any]:
    """Measure records a second and the peak memory over the dataset's size, beside the floor."""
    with tempfile.TemporaryDirectory() as folder:
        write_lake(Path(folder), records, features, seed)
        runs = [[_in_a_process(part, folder, str(features)) for part in ("take", "floor")] for _ in range(RUNS)]
        exported = _in_a_process("export", folder, str(features))
        taken, floor = (min(part, key=lambda run: run["seconds"]) for part in zip(*runs, strict=True))
    return {
        "snapshot_rows_per_second": round(records / taken["seconds"]),
        "snapshot_memory_ratio": round(taken["peak_growth_bytes"] / taken["dataset_bytes"], 2),
        "floor_rows_per_second": round(records / floor["seconds"]),
        "floor_memory_ratio": round(floor["peak_growth_bytes"] / taken["dataset_bytes"], 2),
        **taken,
        "floor": floor,
        "export": exported,
        "records": records,
        "features": features,
        "files": FILES,
        "seconds_of_runs": [[run["seconds"] for run in pair] for pair in runs],
        "seed": seed,
    }


def write_lake(folder: Path, records: int, features: int, seed: int) -> None:
    """Write label records as compaction leaves them, a file a day; made by SQL, which is faster than by the product."""
    with connect(folder) as connection:
        connection.execute("SELECT setseed(?)", [(seed % 1000) / 1000]).fetchall()
        expected = _layout(connection, folder, features)
        for number in range(FILES):
            day = START + timedelta(days=number * DAYS // FILES + 2)
            path, query = folder / "records.parquet", _records(number, records // FILES, features)
            connection.execute(f"COPY ({query}) TO '{escaped(str(path))}' ({PARQUET})")
            if (found := _columns(connection, path)) != expected:
                raise AssertionError(f"the product writes {expected}, the bench {found}")
            place = folder / day_prefix(COMPACTED, MODEL, day.date()) / f"{file_digest(path)}.parquet"
            place.parent.mkdir(parents=True, exist_ok=True)
            path.rename(place)


def _records(number: int, count: int, features: int) -> str:
    """Build the SQL of a day's records; the last of them amend labels of its first predictions."""
    fresh = int(count * (1 - AMENDED))
    names = [f"f{place:02d}" for place in range(features)]
    typed = ", ".join(f'{name} AS "{FEATURE_PREFIX}{name}"' for name in names)
    text = " || ',' || ".join(f"'\"{name}\":' || CAST({name} AS VARCHAR)" for name in names)
    begin = START + timedelta(days=number * DAYS / FILES)
    step = int(timedelta(days=DAYS / FILES) / timedelta(microseconds=1) / fresh)
    moment = f"TIMESTAMP '{begin:%Y-%m-%d %H:%M:%S}' + to_microseconds(CAST(place * {step} AS BIGINT))"
    shown = "strftime({}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    values = {
        "prediction_id": f"format('p{{:03d}}-{{:08d}}-{{:08x}}', {number}, place, hash(place) % 4294967296)",
        "seq": f"CAST(CASE WHEN i < {fresh} THEN 1 ELSE 2 END AS INTEGER)",
        "occurred_at": shown.format(moment),
        "outcome_due_at": shown.format(f"{moment} + INTERVAL 2 DAY"),
        "known_at": shown.format(f"{moment} + INTERVAL 2 DAY + to_seconds(i % 3600)"),
        "status": "'final'",
        "kind": "'outcome'",
        "rules_revision": "CAST(1 AS INTEGER)",
        "model_version": "'v1'",
        "entity_id": f"format('customer-{{}}', hash(place + {number}) % 50000)",
        "score": "random()",
        "propensity": "CAST(NULL AS DOUBLE)",
        "version_share": "CAST(NULL AS DOUBLE)",
        "weight": "CAST(NULL AS DOUBLE)",
        "selection_probability": "CAST(NULL AS DOUBLE)",
        "value": "CASE WHEN f00 > 0.5 THEN '1' ELSE '0' END",
        "decision": "'1'",
        "model_decision": "CAST(NULL AS VARCHAR)",
        "probabilities": "CAST(NULL AS VARCHAR)",
        "features": f"'{{' || {text} || '}}'",
        "others": "CAST(NULL AS VARCHAR)",
        "object": f"'labels/{number}-' || (i // 100)",
        "object_digest": "'0'",
        "record_digest": f"CAST(hash(i + {number} * 10000000) >> 1 AS BIGINT)",
        "unfit": "CAST(NULL AS VARCHAR)",
    }
    selected = ", ".join(f"{values[name]} AS {name}" for name in (*PLAIN_FIELDS, *JSON_FIELDS, *ADDED_FIELDS))
    moments = ", ".join(f"epoch_us(CAST({name} AS TIMESTAMP)) AS {column}" for name, column in MOMENTS.items())
    return (
        f"SELECT {selected}, {typed}, {moments} FROM "  # noqa: S608
        f"(SELECT i, CASE WHEN i < {fresh} THEN i ELSE i - {fresh} END AS place, "
        f"{', '.join(f'random() AS {name}' for name in names)} FROM range({count}) t(i))"
    )


def _layout(connection: Any, folder: Path, features: int) -> list[tuple[str, str]]:
    path = folder / "empty.parquet"
    write_records(
        connection,
        path,
        [],
        {name: feature.type for name, feature in revision(features).configuration.features.items()},
    )
    return _columns(connection, path)


def _columns(connection: Any, path: Path) -> list[tuple[str, str]]:
    described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?, hive_partitioning = false)", [str(path)])
    return [(name, kind) for name, kind, *_ in described.fetchall()]


def revision(features: int) -> ConfigurationRevision:
    """Build a configuration of numeric features."""
    document = {
        "model": MODEL,
        "task": "binary",
        "features": {f"f{place:02d}": {"type": "numeric"} for place in range(features)},
        "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "P2D"}]},
        "training": {"max_rows": 10_000_000},
    }
    return ConfigurationRevision(1, parse_configuration(document))


def _take(folder: Path, features: int) -> dict[str, Any]:
    shutil.rmtree(folder / "datasets", ignore_errors=True)
    lake, before = folder_lake(folder), _resident()
    started, used = time.perf_counter(), time.process_time()
    taken = take_snapshot(lake, revision(features), AS_OF, threads=1)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    if not isinstance(taken, Manifest):
        raise AssertionError(taken.detail)
    counts = taken.counts
    return {
        "seconds": round(seconds, 3),
        "processor_seconds": round(used, 3),
        "dataset_bytes": sum(taken.part_bytes.values()),
        "peak_growth_bytes": _peak() - before,
        "rows": [counts["train"]["rows"], counts["holdout"]["rows"]],
    }


def _export(folder: Path, features: int) -> dict[str, Any]:
    """Measure an export of all labels, to one file."""
    jobs, configurations = InMemoryJobs(), InMemoryConfigurations()
    configurations.put(revision(features).configuration, START)
    request = {LAST: format_time(AS_OF), REVISION: 1}
    jobs.start(Job(kind=JobKind.EXPORT, model=MODEL, job_id="export-1", at=AS_OF, started_at=AS_OF, request=request))
    before, started = _resident(), time.perf_counter()
    exporter = LabelExporter(folder_lake(folder), jobs, configurations, lambda: AS_OF)
    job = exporter.run(MODEL, "export-1", lambda: True)
    assert job is not None  # nosec B101  as no erasure takes it
    seconds = round(time.perf_counter() - started, 3)
    return {"seconds": seconds, "peak_growth_bytes": _peak() - before, "peak_bytes": _peak(), **job.checkpoint}


def _floor(folder: Path, features: int) -> dict[str, Any]:
    """Measure what duckdb needs for the keys first and then the rows they name, as arrays in memory; no more."""
    with connect(folder, threads=1) as connection:
        before = _resident()
        files = f"read_parquet('{folder}/{COMPACTED}/*/*/*.parquet', hive_partitioning = false)"
        columns = ", ".join(f'"{FEATURE_PREFIX}f{place:02d}"' for place in range(features))
        started = time.perf_counter()
        connection.execute(
            f"CREATE TABLE newest AS SELECT arg_max(record_digest, seq) AS chosen FROM {files} GROUP BY prediction_id"  # noqa: S608
        )
        found = connection.execute(
            f"SELECT prediction_id, occurred_at, value, {columns} FROM {files} "  # noqa: S608
            "SEMI JOIN newest ON record_digest = chosen"
        ).fetchnumpy()
        seconds = time.perf_counter() - started
        return {"seconds": round(seconds, 3), "rows": len(found["value"]), "peak_growth_bytes": _peak() - before}


def _in_a_process(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.snapshot", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(arguments: Sequence[str]) -> None:
    """Measure, or be one of the processes measured."""
    if not arguments:
        print(json.dumps(measure(), indent=2))
        return
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    command = {"take": _take, "floor": _floor, "export": _export}[arguments[0]]
    print(json.dumps(command(Path(arguments[1]), int(arguments[2]))))


if __name__ == "__main__":
    main(sys.argv[1:])
