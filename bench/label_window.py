"""The memory and seconds of a window of label records, above what the imports take, in a separate process.

``python -m bench.label_window 1000000`` prints the figures of so many predictions, each with two label records; with a
second number, of bytes, the process may take no more than that above its imports.
"""

import gzip
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.folder_lake import folder_lake
from hindsight.config.parse import parse_configuration
from hindsight.core.times import format_time
from hindsight.label_records.label_completeness import complete_until
from hindsight.label_records.window import ENTITIES_AND_SHADOWS, labels_in_window, matured_in_window
from hindsight.lake.object_store import LABELS, day_prefix
from hindsight.monitoring.label_health.join_health import join_health
from hindsight.monitoring.label_health.label_freshness import label_freshness
from hindsight.monitoring.performance.realised_performance import check_performance
from hindsight.profiles.profile import Profile
from hindsight.rollout.evaluation.rows import evenly_sampled, first_of_entities, matured_since

MODEL, NOW, WINDOW = "busy", datetime(2026, 3, 8, tzinfo=UTC), timedelta(days=7)
FEATURES = 20
ROWS_PER_OBJECT = 20_000
CONFIGURATION = parse_configuration(
    {
        "model": MODEL,
        "task": "binary",
        "features": {"region": {"type": "categorical"}, "amount": {"type": "numeric"}},
        "labels": {"rules": [{"event": "outcome", "window": "PT1H"}]},
        "monitoring": {"slices": ["region", "amount"]},
    }
)


def measure(predictions: int, limit: int | None = None, seed: int = 7) -> dict[str, Any]:
    """Write a lake and check it in a fresh process; return bytes above the imports, and seconds. Raises if killed."""
    # Each thread's arena would reserve 64 MB of addresses, used or not.
    environment = {**os.environ, "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), predictions, seed)
        command = [sys.executable, "-m", "bench.label_window", "check", folder, str(limit or 0)]
        finished = subprocess.run(  # noqa: S603
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    found: dict[str, Any] = json.loads(finished.stdout)
    share = round(found["bytes"] / predictions)
    return {"predictions": predictions, **found, "bytes_a_prediction": share, "seed": seed}


def write(folder: Path, predictions: int, seed: int) -> None:
    """Write two label records of each prediction of the window: a provisional one, and a final one an hour later."""
    rng, lake = random.Random(seed), folder_lake(folder)
    step, lines, begun = WINDOW / (predictions + 1), list[bytes](), 0
    for number in range(predictions):
        lines += _records(NOW - WINDOW + step * number, rng)
        if len(lines) >= ROWS_PER_OBJECT or number == predictions - 1:
            day = (NOW - WINDOW + step * begun).date()
            content = gzip.compress(b"\n".join(lines), 1)
            lake.write_bytes(f"{day_prefix(LABELS, MODEL, day)}{number:09d}.jsonl.gz", content, "")
            lines, begun = [], number


def _records(occurred: datetime, rng: random.Random) -> list[bytes]:
    row = {
        "model": MODEL,
        "prediction_id": f"{rng.getrandbits(128):032x}",
        "features": {f"f{place}": rng.random() for place in range(FEATURES - 2)}
        | {"region": rng.choice("abcdef"), "amount": rng.random()},
        "score": rng.random(),
        "decision": rng.randrange(2),
        "model_version": "v20260101T000000Z-0123456789",
        "occurred_at": format_time(occurred),
        "outcome_due_at": format_time(occurred + timedelta(hours=1)),
        "rules_revision": 1,
        "entity_id": f"customer-{rng.randrange(100_000)}",
        "propensity": None,
    }
    labels = (
        {"seq": seq, "value": rng.randrange(2), "status": status, "kind": "outcome", "known_at": format_time(known)}
        for seq, status, known in (
            (1, "provisional", occurred + timedelta(minutes=5)),
            (2, "final", occurred + timedelta(hours=1)),
        )
    )
    return [json.dumps({**row, **label}).encode() for label in labels]


def check(folder: Path, limit: int) -> dict[str, Any]:
    """Evaluate a window's records as the monitor and rollouts do, within a number of bytes above the imports."""
    before = _status("VmSize")
    if limit:
        resource.setrlimit(resource.RLIMIT_AS, (before + limit, before + limit))
    resident, begun = _status("VmRSS"), time.perf_counter()
    lake, version = folder_lake(folder), "v20260101T000000Z-0123456789"
    labels = labels_in_window(lake, MODEL, NOW, WINDOW, ["region", "amount"], also=ENTITIES_AND_SHADOWS)
    read = time.perf_counter()
    rows, due = labels.rows, dict[str, int]()
    until = complete_until(due, rows, NOW, WINDOW)
    matured = matured_in_window(rows, NOW, WINDOW, until)
    report = check_performance(matured, CONFIGURATION, champion=version, limit=0.4, test=None, level=0.01)
    health = join_health(Profile.empty(), rows, start=NOW - WINDOW, now=NOW)
    label_freshness(due, rows, NOW, WINDOW)
    watched = evenly_sampled(matured_since(rows, NOW - WINDOW, until), CONFIGURATION)
    entities = first_of_entities(watched)
    return {
        "labels": len(rows),
        "judged": report.champion.labels,
        "labelled": health["labelled"],
        "entities": len(entities),
        "truncated": labels.since is not None,
        "bytes": _status("VmHWM") - resident,
        "read_seconds": round(read - begun, 1),
        "check_seconds": round(time.perf_counter() - read, 1),
    }


def _status(name: str) -> int:
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    if sys.argv[1] == "check":
        sys.stdout.write(json.dumps(check(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        sys.stdout.write(json.dumps(measure(*map(int, sys.argv[1:])), indent=2) + "\n")
