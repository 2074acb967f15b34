"""Review tasks in memory, judged by the same contract suite as DynamoReviews."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from threading import Lock

from hindsight.config.labels import LabelValue
from hindsight.config.model import ModelConfiguration
from hindsight.entities.prediction import PredictionKey
from hindsight.review.selection.sample import SampledPrediction
from hindsight.review.tasks.store import QueueSize
from hindsight.review.tasks.task import QueuePartition, ReviewTask, new_task, queue_partition_of
from hindsight.testing.predictions.label_store import InMemoryLabels

RESOLVED = (QueuePartition.UNSENT, QueuePartition.OVERLAPPING, QueuePartition.RESOLVED)
OPEN = (QueuePartition.ADJUDICATION, QueuePartition.LEASED, QueuePartition.FREE)


class InMemoryReviews:
    """Tasks in a dictionary; ``between`` is called after every read, where others may come in between."""

    def __init__(self, labels: InMemoryLabels, page: int = 2) -> None:
        self.tasks: dict[PredictionKey, ReviewTask] = {}
        self.between: Callable[[], None] = lambda: None
        self._labels = labels
        self._page = page
        self._lock = Lock()

    def add(self, sampled: Sequence[SampledPrediction], configuration: ModelConfiguration) -> int:
        new = [
            sample
            for sample in sampled
            if sample.key not in self.tasks and self._labels.select(sample.key, sample.selection_probability)
        ]
        self.tasks |= {sample.key: new_task(sample, configuration) for sample in new}
        return len(new)

    def create(self, tasks: Sequence[ReviewTask]) -> set[PredictionKey]:
        with self._lock:
            new = {task.key: task for task in tasks if task.key not in self.tasks}
            self.tasks |= new
        return set(new)

    def load(self, keys: Sequence[PredictionKey]) -> dict[PredictionKey, ReviewTask]:
        found = {key: self.tasks[key] for key in keys if key in self.tasks}
        self.between()
        return found

    def save(self, tasks: Sequence[ReviewTask]) -> dict[PredictionKey, ReviewTask]:
        return {task.key: written for task in tasks if (written := self._save(task))}

    def available(
        self, model: str, reviewer: str, now: datetime, *, open_at: datetime | None
    ) -> Iterator[list[PredictionKey]]:
        for partition in OPEN:
            until = now if partition is QueuePartition.LEASED else None
            for page in self._pages(self._open(model, partition, open_at, until)):
                yield [key for key in page if reviewer not in self.tasks[key].done_by]

    def held(self, model: str, reviewer: str) -> Iterator[list[PredictionKey]]:
        for partition in (QueuePartition.LEASED, QueuePartition.ADJUDICATION, QueuePartition.FREE):
            yield from self._pages([task for task in self._on(model, partition) if reviewer in task.leases])

    def done(self, model: str, reviewer: str, since: datetime, most: int) -> int:
        found = [task for partition in OPEN for task in self._on(model, partition)]
        found += [task for partition in RESOLVED for task in self._on(model, partition, since=since)]
        return min(most, sum(reviewer in task.done_by for task in found))

    def overdue(self, model: str, now: datetime) -> Iterator[list[PredictionKey]]:
        for partition in OPEN:
            yield from self._pages([task for task in self._on(model, partition) if task.closes_at <= now])

    def unsent(self, model: str) -> Iterator[list[PredictionKey]]:
        yield from self._pages(self._on(model, QueuePartition.UNSENT))

    def size(self, model: str, *, open_at: datetime | None, most: int) -> QueueSize:
        counts = {partition: min(most, len(self._open(model, partition, open_at))) for partition in OPEN}
        return QueueSize(
            free=counts[QueuePartition.FREE],
            adjudication=counts[QueuePartition.ADJUDICATION],
            leased=counts[QueuePartition.LEASED],
            capped=most in counts.values(),
        )

    def ratings(self, model: str, most: int) -> list[Mapping[str, LabelValue]]:
        return [task.ratings for task in self._on(model, QueuePartition.OVERLAPPING)[::-1]][:most]

    def _save(self, task: ReviewTask) -> ReviewTask | None:
        with self._lock:
            current = self.tasks.get(task.key)
            if current is None or current.revision != task.revision:
                return None
            self.tasks[task.key] = written = task.counted_on()
            return written

    def _open(
        self, model: str, partition: QueuePartition, open_at: datetime | None, until: datetime | None = None
    ) -> list[ReviewTask]:
        found = self._on(model, partition, until)
        return [task for task in found if open_at is None or task.closes_at > open_at]

    def _on(
        self, model: str, partition: QueuePartition, until: datetime | None = None, since: datetime | None = None
    ) -> list[ReviewTask]:
        lying = [(task, where) for task in list(self.tasks.values()) if (where := queue_partition_of(task))]
        found = [(at, task) for task, (kind, at) in lying if kind is partition and task.key.model == model]
        found.sort(key=lambda entry: entry[0])
        return [task for at, task in found if (until is None or at <= until) and (since is None or at >= since)]

    def _pages(self, tasks: Sequence[ReviewTask]) -> Iterator[list[PredictionKey]]:
        keys = [task.key for task in tasks]
        for start in range(0, len(keys), self._page):
            yield keys[start : start + self._page]
