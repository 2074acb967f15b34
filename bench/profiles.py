"""The cost of profiles: the speed of building them, and a check of a week, which must not depend on the rows it had.

``python -m bench.profiles`` prints the figures and writes ``out/bench/profiles.json``. Building is measured on one core
beside the least that could be done with the same columns: counts on fixed bins (numpy) and of categories (``Counter``).
A check reads the hourly profiles of a week from disk; each size runs in a separate process, so that its peak memory
is its own.
"""

import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from bench.figures import publish
from bench.folder_lake import folder_lake
from bench.stream_memory import peak_bytes
from hindsight.config.features import Feature, FeatureType
from hindsight.config.labels import Labels, Rule
from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.config.monitoring import Monitoring
from hindsight.core import compact_json
from hindsight.core.times import format_time
from hindsight.lake.object_store import PREDICTIONS, Lake, day_prefix
from hindsight.monitoring.drift.version_drift import VersionDrift, check_version_drift
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from hindsight.profiles.build import Columns, profile_columns
from hindsight.profiles.codec import CONTENT_TYPE, encode
from hindsight.profiles.logs.hour import HourProfiles, LogPiece, encode_hour
from hindsight.profiles.logs.hourly import hour_key, window_profile
from hindsight.profiles.logs.log_object import RowProfiler, log_parts
from hindsight.profiles.reference import reference_key

OUT = Path("out/bench/profiles.json")
MODEL, VERSION = "bench", "v1"
START = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
HOURS = 168
CATEGORIES = np.array([f"category-{number}" for number in range(30)], dtype=object)
ROWS_A_LOG_OBJECT = 100


def features(numeric: int, categorical: int) -> dict[str, Feature]:
    """Build features of two types."""
    numbers = {f"n{place}": Feature(type=FeatureType.NUMERIC, min=-4.0, max=4.0) for place in range(numeric)}
    return numbers | {f"c{place}": Feature(type=FeatureType.CATEGORICAL) for place in range(categorical)}


def make_columns(rows: int, declared: dict[str, Feature], seed: int, moment: datetime = START) -> Columns:
    """Draw predictions by column."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(size=rows)
    due = format_time(moment + timedelta(days=2))
    return Columns(
        prediction_ids=[f"prediction-{seed}-{number:08d}" for number in range(rows)],
        features={
            name: rng.normal(size=rows)
            if feature.type is FeatureType.NUMERIC
            else CATEGORIES[rng.integers(0, len(CATEGORIES), rows)].tolist()
            for name, feature in declared.items()
        },
        scores=scores,
        decisions=(scores >= 0.5).astype(np.intp),
        due=[due] * rows,
    )


def measure(
    rows: int = 1_000_000, lines: int = 100_000, histories: tuple[int, int] = (100_000, 10_000_000), seed: int = 7
) -> dict[str, Any]:
    """Measure the figures: rows a second on one core, and the cost of checks of two histories."""
    return {**measure_building(rows, seed), **measure_reading(lines, seed), **measure_checks(histories, seed)}


def measure_building(rows: int, seed: int, rounds: int = 3) -> dict[str, Any]:
    """Measure the rows a second that become profiles, and those of the floor."""
    declared = features(20, 5)
    columns = make_columns(rows, declared, seed)
    bare = Columns(prediction_ids=columns.prediction_ids, features=columns.features, scores=[], decisions=[])
    return {
        "profile_rows_per_second": round(
            rows / _cpu_seconds(lambda: profile_columns(columns, declared, Task.BINARY), rounds)
        ),
        "floor_rows_per_second": round(rows / _cpu_seconds(lambda: floor(bare), rounds)),
        "profile_rows": rows,
        "profile_features": {"numeric": 20, "categorical": 5},
        "seed": seed,
    }


def floor(columns: Columns) -> list[object]:
    """Count numbers on fixed bins, and categories: the least that a drift check needs, and no sketch."""
    edges = np.linspace(-2, 2, 11)
    return [
        np.bincount(np.searchsorted(edges, values), minlength=12) if isinstance(values, np.ndarray) else Counter(values)
        for values in columns.features.values()
    ]


def measure_reading(rows: int, seed: int, rounds: int = 3) -> dict[str, Any]:
    """Measure the rows a second that become profiles from gzipped JSON lines, in objects of the usual size."""
    declared = features(20, 5)
    content = _log_object(make_columns(1000, declared, seed), declared)
    key = f"{day_prefix(PREDICTIONS, MODEL, START.date())}1.jsonl.gz"

    def work() -> None:
        hour = HourProfiles()
        for _ in range(rows // 1000):
            for part in log_parts(key, content):
                hour = hour.add([*part.profiled(RowProfiler(declared, Task.BINARY)).pieces.values()])

    return {"profile_lines_per_second": round(rows / _cpu_seconds(work, rounds)), "profile_lines": rows}


def _log_object(columns: Columns, declared: dict[str, Feature]) -> bytes:
    values = {name: np.asarray(columns.features[name]).tolist() for name in declared}
    lines = [
        compact_json.dumps(
            {
                "prediction_id": prediction_id,
                "features": {name: values[name][place] for name in declared},
                "score": float(columns.scores[place]),
                "decision": int(columns.decisions[place]),
                "model_version": VERSION,
                "occurred_at": format_time(START + timedelta(seconds=place)),
                "outcome_due_at": columns.due[place],
            }
        )
        for place, prediction_id in enumerate(columns.prediction_ids)
    ]
    return gzip.compress("\n".join(lines).encode(), compresslevel=6)


def measure_checks(histories: tuple[int, int], seed: int) -> dict[str, Any]:
    """Measure a check of a week after many rows: seconds at best, their ratio, and peak memory."""
    found = []
    for rows in histories:
        with tempfile.TemporaryDirectory() as folder:
            write_history(Path(folder), rows, seed)
            found.append(json.loads(_in_a_process("check", folder)))
    seconds = [min(one["seconds"]) for one in found]
    return {
        "check_cost_ratio": round(seconds[1] / seconds[0], 3),
        "check_seconds": round(max(seconds), 4),
        "check_seconds_by_rows": dict(zip(map(str, histories), (round(one, 4) for one in seconds), strict=True)),
        "check_peak_bytes": [one["peak_bytes"] for one in found],
        "check_profile_bytes": [one["profile_bytes"] for one in found],
        "check_features": {"numeric": 15, "categorical": 5},
    }


def write_history(folder: Path, rows: int, seed: int) -> None:
    """Write the hourly profiles of a week of so many rows, and a training reference of 50,000."""
    lake, declared = folder_lake(folder), features(15, 5)
    for hour in range(HOURS):
        moment, count = START + timedelta(hours=hour), rows * (hour + 1) // HOURS - rows * hour // HOURS
        profile = profile_columns(make_columns(count, declared, seed + hour, moment), declared, Task.BINARY)
        merged = {number: number for number in range(1 + count // ROWS_A_LOG_OBJECT)}
        hourly = HourProfiles(merged=merged).add([LogPiece(0, 0, {VERSION: profile})])
        lake.write_bytes(hour_key(MODEL, moment.date(), f"{moment:%H}"), encode_hour(hourly), CONTENT_TYPE)
    reference = profile_columns(make_columns(50_000, declared, seed - 1), declared, Task.BINARY, sample_capacity=2_000)
    lake.write_bytes(reference_key(MODEL, VERSION), encode(reference), CONTENT_TYPE)


def check(lake: Lake) -> VersionDrift:
    """Make the product's drift check of the week: read it, compare it, and draw its page."""
    configuration = ModelConfiguration(
        model=MODEL,
        task=Task.BINARY,
        features=features(15, 5),
        labels=Labels(rules=(Rule(event="outcome", window=timedelta(days=2)),)),
        monitoring=Monitoring(window=WEEK),
    )
    champion = MonitoredVersion(version=VERSION, since=START, gate_value=None)
    predictions = window_profile(lake, MODEL, START, START + WEEK)
    found = check_version_drift(lake, configuration, champion, predictions, START + WEEK)
    found.page()
    return found


def _check(folder: Path, rounds: int = 7) -> dict[str, Any]:
    lake = folder_lake(folder)
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        check(lake)
        seconds.append(round(time.perf_counter() - started, 4))
    size = sum(path.stat().st_size for path in folder.rglob("*.profile"))
    return {"seconds": seconds, "peak_bytes": peak_bytes(), "profile_bytes": size}


def _in_a_process(*arguments: str) -> str:
    command = [sys.executable, "-m", "bench.profiles", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603


def _cpu_seconds(work: Callable[[], object], rounds: int) -> float:
    def once() -> float:
        started = time.process_time()
        work()
        return time.process_time() - started

    return min(once() for _ in range(rounds))


def shown(figures: dict[str, Any]) -> Table:
    """Format the figures as a table."""
    table = Table("figure", "seen", "measured with", title="Profiles")
    task = f"{figures['profile_rows']:,} rows of 20 numeric and 5 categorical features in memory, one core"
    table.add_row("profile_rows_per_second", f"{figures['profile_rows_per_second']:,}", task)
    table.add_row(
        "floor_rows_per_second", f"{figures['floor_rows_per_second']:,}", "fixed bins and Counter on the same"
    )
    lines = f"{figures['profile_lines']:,} gzipped JSON lines, 1,000 an object"
    table.add_row("profile_lines_per_second", f"{figures['profile_lines_per_second']:,}", lines)
    seconds = figures["check_seconds_by_rows"]
    costs = "; ".join(f"{int(rows):,} rows: {value} s" for rows, value in seconds.items())
    table.add_row("check_cost_ratio", f"{figures['check_cost_ratio']}", costs)
    peaks = " and ".join(f"{peak / 2**20:.0f} MiB" for peak in figures["check_peak_bytes"])
    table.add_row(
        "check_seconds",
        f"{figures['check_seconds']}",
        f"reading 168 hours, comparing 20 features, the page; peak memory {peaks}",
    )
    return table


def main() -> None:
    """Measure, write and print."""
    figures = measure()
    publish(figures, shown, OUT)


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        sys.stdout.write(json.dumps(_check(Path(sys.argv[2]))))
    else:
        main()
