"""The port of the store of review tasks and its queries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hindsight.config.labels import LabelValue
from hindsight.entities.prediction import PredictionKey
from hindsight.review.selection.task_sink import ReviewTasks
from hindsight.review.tasks.task import ReviewTask


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSize:
    """The number of open tasks by state; ``capped`` if there are more than were counted."""

    free: int
    adjudication: int
    leased: int
    capped: bool

    @property
    def open(self) -> int:
        """The number of tasks that want an answer."""
        return self.free + self.adjudication + self.leased


class TaskStore(ReviewTasks, Protocol):
    """Tasks by prediction. What is looked for may be seen a moment late; a task itself is always read as it is."""

    def create(self, tasks: Sequence[ReviewTask]) -> set[PredictionKey]:
        """Write each new task whose prediction has none; return whose were written. Raises Unavailable."""

    def load(self, keys: Sequence[PredictionKey]) -> dict[PredictionKey, ReviewTask]:
        """Read the tasks that exist of some predictions. Raises Unavailable."""

    def save(self, tasks: Sequence[ReviewTask]) -> dict[PredictionKey, ReviewTask]:
        """Write each task that is unchanged since it was read; return those, with their new revision.

        Keys must differ. Each is written or not by itself.
        """

    def available(
        self, model: str, reviewer: str, now: datetime, *, open_at: datetime | None
    ) -> Iterator[list[PredictionKey]]:
        """Find, page by page, the open tasks that a reviewer may be given.

        Disputed ones come first, then those whose lease has lapsed by ``now``, then the others, oldest first each.
        With ``open_at``, those that close by then are left out. A page without anything for the reviewer is a page
        too, an empty one: it counts as looked through.
        """

    def held(self, model: str, reviewer: str) -> Iterator[list[PredictionKey]]:
        """Find, page by page, the open tasks that were last leased to a reviewer; a lease may have lapsed."""

    def done(self, model: str, reviewer: str, since: datetime, most: int) -> int:
        """Count, up to ``most``, the tasks a reviewer answered or skipped: the open ones, those resolved ``since``."""

    def overdue(self, model: str, now: datetime) -> Iterator[list[PredictionKey]]:
        """Find, page by page, the open tasks that close by ``now``."""

    def unsent(self, model: str) -> Iterator[list[PredictionKey]]:
        """Find, page by page, the resolved tasks whose feedback is not known to be durable."""

    def size(self, model: str, *, open_at: datetime | None, most: int) -> QueueSize:
        """Count a model's open tasks, up to ``most`` of each kind; with ``open_at``, without those closed by then."""

    def ratings(self, model: str, most: int) -> list[Mapping[str, LabelValue]]:
        """List the labels by reviewer of the tasks that several people answered, newest first."""
