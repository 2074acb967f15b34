"""The reopening of resolved review tasks; their annotations are retracted."""

from dataclasses import dataclass
from datetime import datetime

from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import Conflict, NotFound, Unavailable
from hindsight.core.retry import Overtaken, optimistic
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.store import LabelStore
from hindsight.review.requests.body import ReviewOperation
from hindsight.review.tasks.annotation import manual_rule
from hindsight.review.tasks.outbox import Outbox
from hindsight.review.tasks.store import TaskStore
from hindsight.review.tasks.task import ReviewTask
from hindsight.review.tasks.transitions import reopened
from hindsight.validation.items import parse_item
from hindsight.validation.timestamps import ClientTimestamps


@dataclass(frozen=True, slots=True)
class Reopenings:
    """The reopenings of review tasks."""

    tasks: TaskStore
    labels: LabelStore
    outbox: Outbox
    trust: ClientTimestamps

    def take(
        self, configuration: ModelConfiguration, task_id: str, body: object, *, now: datetime, actor: str
    ) -> ReviewTask:
        """Open a resolved task again, and publish the retraction of its annotation; return the task.

        Raises InvalidInput with the path at fault, NotFound for an unknown task, Conflict for one that is not resolved,
        Unavailable if the retraction could not be made durable: the same request again, or ``expire_reviews``, does.
        """
        request = parse_item(ReviewOperation, body, "")
        audit = request.audit(actor, now, self.trust)
        if manual_rule(configuration.labels) is None:
            raise Conflict("the model has no rule of kind manual any more: no answer could become a label")
        key = PredictionKey(configuration.model, task_id)

        def attempt() -> ReviewTask:
            before = self.tasks.load([key]).get(key)
            if before is None or key not in self.labels.predictions([key]):
                raise NotFound(f"the model {key.model!r} has no review task {task_id!r}")
            if before.is_retracting:
                return before
            try:
                after = reopened(before, audit, configuration.review.expires)
            except Conflict as error:
                raise Conflict(f"the task {error.message}") from error
            if (written := self.tasks.save([after]).get(key)) is None:
                raise Overtaken
            return written

        task = optimistic(attempt, otherwise=Unavailable(f"others keep changing the task {task_id!r}; send it again"))
        self.outbox.send([task])
        return task
