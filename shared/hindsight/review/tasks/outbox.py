"""Resolved tasks become feedback: the same stream to the lake, the same join, as all feedback."""

from collections.abc import Iterable
from dataclasses import dataclass

from hindsight.ingestion.feedback_capture import FeedbackStream, feedback_line
from hindsight.review.tasks.annotation import annotation
from hindsight.review.tasks.store import TaskStore
from hindsight.review.tasks.task import ReviewTask
from hindsight.review.tasks.transitions import sent


@dataclass(frozen=True, slots=True)
class Outbox:
    """The sender of tasks' resolutions. Sent twice it is one event: its id and body are those of the resolution."""

    tasks: TaskStore
    stream: FeedbackStream

    def send(self, tasks: Iterable[ReviewTask]) -> int:
        """Make the annotations of resolved tasks durable; return how many. Raises Unavailable; then none is marked."""
        unsent = [task for task in tasks if task.resolution is not None and not task.is_sent]
        if unsent:
            self.stream.append([feedback_line(annotation(task)) for task in unsent])
            # One that was changed meanwhile was sent by another worker as well: it is marked already.
            self.tasks.save([sent(task) for task in unsent])
        return len(unsent)
