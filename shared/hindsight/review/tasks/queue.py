"""The reviewers' view of the queues: counts, guidelines, the features they see, their tasks and their progress."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationStore
from hindsight.core.codec import to_plain
from hindsight.core.compact_json import answer_bytes
from hindsight.core.times import format_time
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.store import LabelStore
from hindsight.review.tasks.agreement import own_agreement
from hindsight.review.tasks.annotation import manual_rule
from hindsight.review.tasks.leasing import MAX_LEASED_BYTES, MAX_LEASES, MAX_PAGES, show_leased
from hindsight.review.tasks.overview import MAX_COUNTED, MAX_RATED, show_size
from hindsight.review.tasks.store import TaskStore
from hindsight.review.tasks.task import ReviewTask
from hindsight.review.tasks.transitions import live_leases
from hindsight.validation.timestamps import ClientTimestamps

PROGRESS_PERIOD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReviewQueue:
    """A reviewer's view of a model's queue, read-only; ``trust`` as in ``leasing.TaskLeasing``."""

    tasks: TaskStore
    labels: LabelStore
    trust: ClientTimestamps

    def show(self, configuration: ModelConfiguration, reviewer: str, now: datetime) -> dict[str, Any]:
        """Show the queue to a reviewer."""
        model, since = configuration.model, now - PROGRESS_PERIOD
        held = self._held(model, reviewer, now)
        return {
            "reviewer": reviewer,
            "task": configuration.task.value,
            "guidelines": configuration.review.guidelines,
            "features": [{"name": name, "type": kind.value} for name, kind in configuration.feature_types.items()],
            "counts": self._counts(model, now),
            "tasks": self._shown(configuration, held, reviewer),
            "progress": {
                "held": len(held),
                "done": self.tasks.done(model, reviewer, since, MAX_COUNTED),
                "since": format_time(since),
                "agreement": self._agreement(configuration, reviewer),
            },
        }

    def entry(self, configuration: ModelConfiguration, now: datetime) -> dict[str, Any]:
        """Show a model's queue as one of many."""
        model = configuration.model
        return {"model": model, "task": configuration.task.value, "counts": self._counts(model, now)}

    def _counts(self, model: str, now: datetime) -> dict[str, Any]:
        open_at = now if self.trust is ClientTimestamps.BOUNDED else None
        return show_size(self.tasks.size(model, open_at=open_at, most=MAX_COUNTED))

    def _agreement(self, configuration: ModelConfiguration, reviewer: str) -> Any:
        """Compute how far a reviewer agrees with others, None of numbers: of those hardly two are the same."""
        if configuration.task is Task.REGRESSION:
            return None
        own = own_agreement(reviewer, self.tasks.ratings(configuration.model, MAX_RATED))
        return None if own is None else to_plain(own)

    def _held(self, model: str, reviewer: str, now: datetime) -> list[ReviewTask]:
        """Read the tasks a reviewer has a live lease of, up to a limit."""
        held: list[ReviewTask] = []
        for page in islice(self.tasks.held(model, reviewer), MAX_PAGES):
            held += (task for task in self.tasks.load(page).values() if reviewer in live_leases(task, now))
            if len(held) >= MAX_LEASES:
                break
        return held[:MAX_LEASES]

    def _shown(self, configuration: ModelConfiguration, held: Sequence[ReviewTask], reviewer: str) -> list[Any]:
        """Show tasks with their predictions, as far as one answer can carry them."""
        keys: list[PredictionKey] = [task.key for task in held]
        predictions = self.labels.predictions(keys)
        shown, room = [], MAX_LEASED_BYTES
        for task in held:
            if room > 0 and (prediction := predictions.get(task.key)) is not None:
                shown.append(show_leased(configuration, task, prediction, reviewer).to_json())
                room -= answer_bytes(shown[-1])
        return shown


def reviewed_models(configurations: ConfigurationStore, after: str | None = None) -> Iterator[ModelConfiguration]:
    """Find the models in service whose rules read reviewers' answers, by name, behind one."""
    for name in configurations.models():
        if after is None or name > after:
            configuration = configurations.current(name).configuration
            if manual_rule(configuration.labels) is not None:
                yield configuration
