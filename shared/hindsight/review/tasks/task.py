"""A review task: one prediction that people are asked to label, and all their answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from hindsight.config.labels import LabelValue
from hindsight.config.model import ModelConfiguration
from hindsight.entities.feedback import FeedbackValue
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.resolve import shifted
from hindsight.review.selection.sample import SampledPrediction, SampleReason

ADJUDICATION = "adjudication"
# Those who do not say who they are share the reviewers' key, and are one reviewer.
UNNAMED_REVIEWER = "key:reviewer"


class TaskState(StrEnum):
    """The state of a task."""

    OPEN = "open"
    RESOLVED = "resolved"
    SKIPPED = "skipped"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of one reviewer: the value as it was sent, the label it means, its moment and comment."""

    reviewer: str
    value: FeedbackValue
    label: LabelValue
    at: datetime
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """The skip of one reviewer, who does not answer."""

    reviewer: str
    at: datetime
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The result of a task, and the event of its feedback; ``at`` is when the deciding answer came."""

    value: FeedbackValue
    label: LabelValue
    event: str
    occurred_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAudit:
    """The audit record of an operator's change of a task."""

    actor: str
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopening:
    """The end of a resolution: an operator opened its task again; ``is_sent``: its retraction is durable."""

    audit: ReviewAudit
    answers: tuple[Answer, ...]
    resolution: Resolution
    is_sent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTask:
    """One task; there is one a prediction, so that the prediction's id is the task's.

    ``selection_probability`` is None for a prediction that was not sampled: the last ``request`` for its review is all.
    ``overlap`` is how many answers are wanted, ``closes_at`` when it is no longer offered, ``leases`` is by reviewer
    until when each has it. ``is_sent``: the resolution's feedback is durable. ``revision`` is that
    of the task as it was read; a store counts it on when it writes.
    """

    key: PredictionKey
    reason: SampleReason
    selection_probability: float | None = None
    created_at: datetime
    closes_at: datetime
    overlap: int
    expires_at: int
    leases: Mapping[str, datetime] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    skips: tuple[Skip, ...] = ()
    state: TaskState = TaskState.OPEN
    resolution: Resolution | None = None
    is_sent: bool = False
    request: ReviewAudit | None = None
    reopenings: tuple[Reopening, ...] = ()
    revision: int = 0

    @property
    def task_id(self) -> str:
        """The task's id."""
        return self.key.prediction_id

    @property
    def is_open(self) -> bool:
        """True if answers are wanted."""
        return self.state is TaskState.OPEN

    @property
    def is_disputed(self) -> bool:
        """True if the reviewers asked disagree, and an adjudicator is to decide."""
        return self.is_open and len(self.answers) >= self.overlap

    @property
    def is_retracting(self) -> bool:
        """True if the retraction of a resolution is not known to be durable; until then the task is not leased."""
        return any(not reopening.is_sent for reopening in self.reopenings)

    @property
    def places(self) -> int:
        """The number of answers still wanted; reviewers beyond them are not given the task."""
        if not self.is_open:
            return 0
        return max(self.overlap - len(self.answers), 1)

    @property
    def ratings(self) -> Mapping[str, LabelValue]:
        """The labels of reviewers who answered without knowing the others' answers, by reviewer."""
        return {answer.reviewer: answer.label for answer in self.answers[: self.overlap]}

    @property
    def done_by(self) -> tuple[str, ...]:
        """The reviewers who never get the task again: those who answered or skipped it."""
        return (*(answer.reviewer for answer in self.answers), *(skip.reviewer for skip in self.skips))

    def counted_on(self) -> "ReviewTask":
        """Count the task on to its next revision, as a store writes it."""
        return replace(self, revision=self.revision + 1)

    @property
    def shown_reason(self) -> str:
        """The reason why the task is offered."""
        return ADJUDICATION if self.is_disputed else self.reason.value


class QueuePartition(StrEnum):
    """The partition of the queue that a task lies in."""

    FREE = "free"
    ADJUDICATION = "adjudication"
    LEASED = "leased"
    UNSENT = "unsent"
    OVERLAPPING = "overlapping"
    RESOLVED = "resolved"


def queue_partition_of(task: ReviewTask) -> tuple[QueuePartition, datetime] | None:
    """Find the partition of a task and the moment it is sorted by, None for one without work to do.

    A task whose places are all leased is sorted by the first lease to lapse: from that moment it is to be had again,
    without a change of it.
    """
    if task.is_retracting:
        return QueuePartition.UNSENT, task.reopenings[-1].audit.at
    if task.resolution is not None:
        if not task.is_sent:
            return QueuePartition.UNSENT, task.resolution.at
        # Resolved tasks stay in the queue: reviewers' progress is counted there.
        partition = QueuePartition.OVERLAPPING if len(task.ratings) > 1 else QueuePartition.RESOLVED
        return partition, task.resolution.at
    if not task.is_open:
        return None
    if len(task.leases) >= task.places:
        return QueuePartition.LEASED, min(task.leases.values())
    return (QueuePartition.ADJUDICATION if task.is_disputed else QueuePartition.FREE), task.created_at


def new_task(sample: SampledPrediction, configuration: ModelConfiguration) -> ReviewTask:
    """Build the task of a prediction that was sampled."""
    return ReviewTask(
        key=sample.key,
        reason=sample.reason,
        selection_probability=sample.selection_probability,
        created_at=sample.sampled_at,
        closes_at=shifted(sample.sampled_at, configuration.review.expires),
        overlap=configuration.review.overlap,
        expires_at=int(shifted(sample.sampled_at, configuration.retention).timestamp()),
    )
