"""Replays for the tests of quarantines."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from hindsight.core.errors import InvalidInput
from hindsight.core.jobs import Job, parse_message
from hindsight.ingestion.feedback_capture import FeedbackCapture
from hindsight.ingestion.instance import InstanceReader
from hindsight.ingestion.prediction_log import PredictionCapture, PredictionLog
from hindsight.labels.joining.feedback_files import FeedbackFiles
from hindsight.labels.joining.join import LabelJoiner
from hindsight.lake.object_store import Lake
from hindsight.quarantine.store import Quarantine
from hindsight.replay.quarantine_replay import QuarantineReplay, ReplayRequests
from hindsight.replay.reread import Rereader
from hindsight.reporting.jobs import job_report
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.jobs.job_store import InMemoryJobs
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.allowances import no_limits
from hindsight.testing.predictions.effects import InMemoryEffects
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.prediction_store import InMemoryPredictions, RecordedRejoins
from hindsight.validation.timestamps import ClientTimestamps
from tests.unit.labels.builders import (
    DEMAND,
    MODEL,
    THUMB,
    at,
    configuration,
    key,
)

MISDECLARED = {**THUMB, "map": {"good": 1, "bad": 0}}


ASKED_AT = at(200)


class Crash(Exception):
    """The process ends here."""


class CrashPoints:
    """The steps until a crash: so many that change something happen, then the process ends."""

    def __init__(self) -> None:
        self.steps = 0
        self.left: int | None = None

    def pass_(self) -> None:
        if self.left == 0:
            raise Crash
        self.steps += 1
        if self.left is not None:
            self.left -= 1


class CrashingLake(InMemoryLake):
    def __init__(self, points: CrashPoints) -> None:
        super().__init__()
        self.points = points

    def write_lines(self, key: str, rows: Any) -> None:
        self.points.pass_()
        super().write_lines(key, rows)

    def delete(self, key: str) -> None:
        self.points.pass_()
        super().delete(key)


class CrashingJobs(InMemoryJobs):
    def __init__(self, points: CrashPoints) -> None:
        super().__init__()
        self.points = points

    def save(self, job: Job) -> bool:
        self.points.pass_()
        return super().save(job)


class LakeStream:
    """Delivers what is appended as files of raw feedback, a file a call, as Firehose does."""

    def __init__(self, lake: Lake, points: CrashPoints) -> None:
        self._lake = lake
        self._points = points
        self.files: list[str] = []

    def append(self, lines: Sequence[bytes]) -> None:
        self._points.pass_()
        self.files.append(f"feedback/date=2026-03-09/{len(self.files):04d}")
        self._lake.write_bytes(self.files[-1], b"".join(lines), "application/x-ndjson")


class Bench:
    """Capture, join and replay on fakes."""

    def __init__(self) -> None:
        self.points = CrashPoints()
        self.lake = CrashingLake(self.points)
        self.jobs = CrashingJobs(self.points)
        self.stream = LakeStream(self.lake, self.points)
        self.joined = 0
        self.store = InMemoryLabels()
        self.predictions = InMemoryPredictions()
        self.quarantine = Quarantine(self.lake)
        self.configurations = InMemoryConfigurations(configuration(DEMAND, MISDECLARED))
        self.joiner = LabelJoiner(self.store, self.quarantine, self.configurations, no_limits(), InMemoryEffects())
        self.files = FeedbackFiles(self.lake, self.joiner, self.quarantine, self.configurations)
        self.capture = FeedbackCapture(self.stream, ClientTimestamps.BOUNDED)
        log = PredictionLog(self.predictions, RecordedRejoins())
        self.prediction_capture = PredictionCapture(log, self.stream)
        rereader = Rereader(self.stream, log, self.store, self.configurations, ClientTimestamps.BOUNDED)
        self.replays = QuarantineReplay(self.lake, self.quarantine, self.jobs, rereader, lambda: ASKED_AT)
        self.messages: list[str] = []
        self.requests = ReplayRequests(self.jobs, self.configurations, self.lake, self, ClientTimestamps.BOUNDED)

    def feed(self, *items: dict[str, Any], hours: float = 1) -> None:
        current = self.configurations.current(MODEL).configuration
        with contextlib.suppress(InvalidInput):
            self.capture.capture(current, items, at(hours))
        self.join()

    def log(self, *items: dict[str, Any], hours: float = 1) -> None:
        """Send predictions in one call, and join what it rejects."""
        current = self.configurations.current(MODEL).configuration
        reader = InstanceReader(current, at(hours), ClientTimestamps.BOUNDED, new_id=lambda: "made-up")
        with contextlib.suppress(InvalidInput):
            self.prediction_capture.capture(reader, items)
        self.join()

    def join(self) -> None:
        """Join the files that have come since."""
        while self.joined < len(self.stream.files):
            self.files.join(self.stream.files[self.joined])
            self.joined += 1

    def mend(self) -> None:
        self.configurations.put(configuration(DEMAND, THUMB), at(100))

    def ask(self, request_id: str = "request-1", model: str = MODEL, **body: Any) -> Job:
        asked = {"reason": "mended", **body}
        job = self.requests.take(model, asked, now=ASKED_AT, request_id=request_id, actor="key:operator")
        assert parse_message(self.messages[-1]) == (job.model, job.job_id)
        return job

    def run(self, job: Job, has_time: Callable[[], bool] = lambda: True) -> Job | None:
        return self.replays.run(job.model, job.job_id, has_time).job

    def send(self, body: str) -> None:
        """Take a message of the queue's."""
        self.messages.append(body)

    def replay(self, request_id: str = "request-1", **body: Any) -> dict[str, Any]:
        job = self.run(self.ask(request_id, **body))
        assert job is not None
        assert job.is_over
        self.join()
        return shown(job)

    def quarantined(self) -> list[dict[str, Any]]:
        return [row for name in self.lake.keys("quarantine/") for row in self.lake.read_lines(name)]

    def replayed(self) -> list[dict[str, Any]]:
        return [row for name in self.lake.keys("replayed/") for row in self.lake.read_lines(name)]

    def labels(self, *names: str) -> list[tuple[object, Any]]:
        found = self.store.load([key(name) for name in names])
        return [(record.label.value, record.known_at) for collection in found for record in collection.labels]


def shown(job: Job) -> dict[str, Any]:
    """Show what a replay did as operators see it."""
    return dict(job_report(job).result or {})


def thumb(feedback_id: str = "f-1", prediction_id: str = "p-1", value: Any = "up", **more: Any) -> dict[str, Any]:
    return {"feedback_id": feedback_id, "prediction_id": prediction_id, "name": "thumb", "value": value, **more}


def outcome(bench: Bench) -> tuple[Any, ...]:
    reasons = sorted((row["text"], row["reason"]) for row in bench.quarantined())
    replayed = sorted(row["text"] for row in bench.replayed())
    return bench.labels("p-1", "p-2"), reasons, replayed, shown(bench.ask())
