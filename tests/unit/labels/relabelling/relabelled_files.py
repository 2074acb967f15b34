"""Relabellings for the tests of their files."""

from collections.abc import Callable
from datetime import date

from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.joining.join import LabelJoiner
from hindsight.labels.relabelling.counting import CountingProgress, FileCount
from hindsight.labels.relabelling.files import RelabelBatch, RelabelFiles
from hindsight.labels.relabelling.job import Counts, RelabelJob
from hindsight.lake.object_store import PREDICTIONS, day_prefix
from hindsight.quarantine.store import Quarantine
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.jobs.relabels import InMemoryRelabels
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.predictions.allowances import no_limits
from hindsight.testing.predictions.effects import InMemoryEffects
from hindsight.testing.predictions.label_store import InMemoryLabels
from tests.unit.labels.builders import DEMAND, MODEL, RETENTION, at, configuration, event, key, prediction
from tests.unit.labels.joining import joiner_of_any_key

FILE = "feedback/date=2026-03-02/part-1"


ROWS = f"{day_prefix(PREDICTIONS, MODEL, date(2026, 3, 1))}part-1.jsonl.gz"


ZERO = {"value": 0, "after": "P3D"}


ONE = {"value": 1, "after": "P3D"}


MENDED = {**DEMAND, "positive": {"greater_than": 50}}


MOMENT = at(240)


WORKERS = 2


class Bench:
    """Three predictions labelled by a threshold of 100 and a default of 0, now 50 and 1; the files are still there."""

    def __init__(self) -> None:
        self.store, self.lake, self.jobs = InMemoryLabels(), InMemoryLake(), InMemoryRelabels()
        self.configurations = InMemoryConfigurations(configuration(DEMAND, default=ZERO))
        self.joiner = LabelJoiner(
            self.store, Quarantine(self.lake), self.configurations, no_limits(), InMemoryEffects()
        )
        self.any_joiner = joiner_of_any_key(self.joiner)
        self.files = RelabelFiles(self.lake, self.any_joiner, self.jobs, self.configurations)
        self.names = ("middle", "high", "silent")
        for name in self.names:
            self.store.save(prediction(name), RETENTION, due_at=at(48))
        self.events = [event("demand", value, prediction_id=name) for name, value in (("middle", 75), ("high", 150))]
        self.joiner.join(self.events)
        self.joiner.close_windows([key(name) for name in self.names], at(100))
        self.write(*self.events)
        self.lake.write_lines(ROWS, [{"prediction_id": name} for name in self.names])
        self.configurations.put(configuration(MENDED, default=ONE), at(200))
        self.job = RelabelJob(
            model=MODEL,
            job_id="relabel-1",
            reason="mended",
            rules_revision=2,
            known_at=MOMENT,
            started_at=MOMENT,
        )
        self.jobs.begin(self.job, None)

    def write(self, *events: Feedback | bytes, file: str = FILE) -> None:
        lines = (line if isinstance(line, bytes) else feedback_line(line) for line in events)
        self.lake.write_bytes(file, b"".join(lines), "application/x-ndjson")

    def relabel(self, *keys: str, attempt: int = 1, has_time: Callable[[], bool] = lambda: True) -> tuple[str, ...]:
        return self.files.relabel(RelabelBatch(MODEL, "relabel-1", attempt, keys), has_time)

    def counted(
        self, so_far: CountingProgress | None = None, has_time: Callable[[], bool] = lambda: True
    ) -> CountingProgress:
        return FileCount(self.lake, self.jobs, WORKERS).count(
            MODEL, "relabel-1", so_far or CountingProgress(), has_time
        )

    def values(self, name: str) -> list[object]:
        return [record.label.value for record in self.store.load([key(name)])[0].labels]

    @property
    def counts(self) -> Counts:
        return self.jobs.job(MODEL, "relabel-1").counts
