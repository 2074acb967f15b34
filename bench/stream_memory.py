"""The memory of joining a feedback file: a file ten times as large must not take more.

Each size runs in a separate process, so that its peak is its own. The file is read as the lake reads it; the table
is one that knows every prediction and keeps nothing.
"""

import gzip
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from bench.label_join import collection_of, make_task, prediction_times, revision
from hindsight.adapters.aws.s3_lake import S3Lake
from hindsight.entities.label_collection import Collection
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.labels.joining.entity_limit import EntityLimits
from hindsight.labels.joining.feedback_files import FeedbackFiles
from hindsight.labels.joining.join import LabelJoiner
from hindsight.labels.plan import JoinPlan
from hindsight.labels.store import ALL, OpenLabels, Share
from hindsight.quarantine.store import Quarantine
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.effects import InMemoryEffects

SMALL, TIMES = 40_000, 10


def measure(small: int = SMALL, times: int = TIMES, seed: int = 7) -> dict[str, Any]:
    """Measure the peak memory, in bytes, of joining a small file and one many times larger, and their ratio."""
    peaks = [_peak_of(small, seed), _peak_of(small * times, seed)]
    return {
        "stream_memory_ratio": round(peaks[1] / peaks[0], 3),
        "peak_bytes": peaks,
        "events": [small, small * times],
        "seed": seed,
    }


def _peak_of(events: int, seed: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "feedback.jsonl.gz")
        _in_a_process("write", path, str(events), str(seed))
        peak: int = json.loads(_in_a_process("join", path))
    return peak


def _in_a_process(*arguments: str) -> str:
    command = [sys.executable, "-m", "bench.stream_memory", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603


def _write(path: Path, events: int, seed: int) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.writelines(make_task(events // 2, events, seed).lines)


class _OneFile:
    """An S3 client that has one object, on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": self._path.open("rb", buffering=0)}


class _Forgetful:
    """A label store that knows every prediction of the task and keeps nothing."""

    def load(self, keys: Sequence[PredictionKey]) -> list[Collection]:
        return [collection_of(key, prediction_times(key)) for key in keys]

    def commit(self, plans: Sequence[JoinPlan]) -> set[PredictionKey]:
        return set()

    def due(self, model: str, now: datetime, share: Share = ALL) -> Iterator[list[PredictionKey]]:
        yield from ()

    def open_labels(self, model: str, now: datetime, most: int) -> OpenLabels:
        return OpenLabels(predictions=0, next_due_at=None, capped=False)

    def predictions(self, keys: Sequence[PredictionKey]) -> dict[PredictionKey, Prediction]:
        return {}


def _join(path: Path) -> int:
    """Join a file and return the process's peak memory in bytes."""
    lake, configurations = (
        S3Lake("bench", cast("Any", _OneFile(path))),
        InMemoryConfigurations(revision().configuration),
    )
    quarantine = Quarantine(lake)
    limits = EntityLimits(cast("Any", None))
    joiner = LabelJoiner(_Forgetful(), quarantine, configurations, limits, InMemoryEffects())
    report = FeedbackFiles(lake, joiner, quarantine, configurations).join("feedback/date=2026-03-01/bench.gz")
    assert sum(count.total() for count in report.counts.values()) > 0
    return peak_bytes()


def peak_bytes() -> int:
    """Measure this process's peak memory; Linux's usage counter begins at the peak of the parent process."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (line,) = (line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    if sys.argv[1] == "write":
        _write(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        sys.stdout.write(json.dumps(_join(Path(sys.argv[2]))))
