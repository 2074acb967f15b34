"""Resolutions and their retractions become feedback: the same stream to the lake, the same join, as all feedback."""

from collections.abc import Iterable
from dataclasses import dataclass

from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import FeedbackStream, feedback_line
from hindsight.review.tasks.annotation import annotation, retractions
from hindsight.review.tasks.store import TaskStore
from hindsight.review.tasks.task import ReviewTask
from hindsight.review.tasks.transitions import sent


@dataclass(frozen=True, slots=True)
class Outbox:
    """The sender of tasks' resolutions. Sent twice it is one event: its id and body are those of the resolution."""

    tasks: TaskStore
    stream: FeedbackStream

    def send(self, tasks: Iterable[ReviewTask]) -> int:
        """Make the events of tasks durable; return their number. Raises Unavailable; then none is marked."""
        unsent = [(task, events) for task in tasks if (events := _unsent(task))]
        if unsent:
            self.stream.append([feedback_line(event) for _, events in unsent for event in events])
            # One that was changed meanwhile was sent by another worker as well: it is marked already.
            self.tasks.save([sent(task) for task, _ in unsent])
        return len(unsent)


def _unsent(task: ReviewTask) -> list[Feedback]:
    """List the events of a task that are not known to be durable."""
    resolved = task.resolution is not None and not task.is_sent
    return [*retractions(task), *([annotation(task)] if resolved else [])]
