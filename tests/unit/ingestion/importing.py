"""Imports for the tests of importing."""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hindsight.core.errors import Unavailable
from hindsight.core.jobs import JobKind
from hindsight.ingestion.feedback_capture import FeedbackCapture
from hindsight.ingestion.import_files import Upload
from hindsight.ingestion.imports import FileImports, ImportRun
from hindsight.ingestion.prediction_log import PredictionLog
from hindsight.quarantine.store import Quarantine
from hindsight.reporting.jobs import job_report
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.jobs.job_store import InMemoryJobs
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.prediction_store import InMemoryPredictions, RecordedRejoins
from hindsight.validation.timestamps import ClientTimestamps

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


MODEL = "bike-demand"


PREDICTIONS = f"imports/model={MODEL}/predictions/2025.jsonl.gz"


FEEDBACK = f"imports/model={MODEL}/feedback/2025.jsonl"


THEN = "2025-03-01T12:00:00Z"


class Stream:
    """A stream that keeps appended lines, and refuses after so many calls."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.left: int | None = None

    def append(self, lines: Sequence[bytes]) -> None:
        if self.left == 0:
            raise Unavailable("busy")
        self.left = None if self.left is None else self.left - 1
        self.lines.extend(lines)


class Bench:
    def __init__(self) -> None:
        self.lake, self.jobs, self.stream = InMemoryLake(), InMemoryJobs(), Stream()
        self.predictions = InMemoryPredictions()
        self.imports = FileImports(
            self.lake,
            self.jobs,
            Quarantine(self.lake),
            InMemoryConfigurations(configuration()),
            PredictionLog(self.predictions, RecordedRejoins()),
            FeedbackCapture(self.stream, ClientTimestamps.BOUNDED),
            lambda: NOW,
        )

    def write(self, key: str, *lines: object) -> None:
        texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        content = b"".join(text + b"\n" for text in texts)
        self.lake.write_bytes(key, gzip.compress(content) if key.endswith(".gz") else content, "application/x-ndjson")

    def run(self, key: str, version: str = "1", times: int = 1_000_000) -> ImportRun:
        left = iter(range(times))
        return self.imports.run(Upload(key, version, NOW), lambda: next(left, None) is not None)

    def shown(self) -> dict[str, Any]:
        (job,) = self.jobs.newest(MODEL, JobKind.IMPORT, 1)
        return job_report(job).to_plain()

    def quarantined(self) -> list[dict[str, Any]]:
        return [row for name in self.lake.keys("quarantine/") for row in self.lake.read_lines(name)]

    def captured(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.lines]


def prediction(prediction_id: str | None = "p-1", **changes: Any) -> dict[str, Any]:
    item = {"features": {"hour": 7}, "score": 0.7, "model_version": "old", "occurred_at": THEN, **changes}
    return item if prediction_id is None else {"prediction_id": prediction_id, **item}


def feedback(feedback_id: str = "f-1", **changes: Any) -> dict[str, Any]:
    return {"feedback_id": feedback_id, "prediction_id": "p-1", "name": "demand", "value": 120, **changes}
