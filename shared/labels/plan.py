"""What a join is to write, worked out before anything is written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.capture.feedback import Feedback
from shared.capture.prediction import PredictionKey
from shared.configuration.store import ConfigurationRevision
from shared.labels.collection import Collection, Head, PredictionTimes
from shared.labels.disposition import Disposition, disposition
from shared.labels.history import new_records
from shared.labels.label import LabelRecord
from shared.labels.resolve import delivery_order, known_from, shifted

PARKING_LIMIT = timedelta(days=7)
MAX_EVENTS = 40


@dataclass(frozen=True, slots=True)
class JoinedFeedback:
    """An event to keep, and what it means for the label."""

    event: Feedback
    disposition: Disposition


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinPlan:
    """One join of one prediction: from one revision of its collection to the next, all of it or nothing.

    ``conflicts`` are events whose id was used before with another body, ``unmatched`` parked ones that are given up on.
    """

    key: PredictionKey
    before: Head | None
    after: Head | None
    feedback: tuple[JoinedFeedback, ...] = ()
    records: tuple[LabelRecord, ...] = ()
    duplicates: int = 0
    conflicts: tuple[Feedback, ...] = ()
    unmatched: tuple[Feedback, ...] = ()

    @property
    def changes_something(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after


def plan_join(collection: Collection, incoming: Sequence[Feedback], rules: ConfigurationRevision) -> JoinPlan:
    """Return what joining at most ``MAX_EVENTS`` events to a collection writes; without events, what a rejoin writes.

    The times at which labels become known are those of the events and of the clock moments they passed, never of the
    join itself: delivered again or in another order, the same events end in the same label, known at the same time.
    """
    merge = _Merge(collection, rules)
    for event in incoming:
        merge.add(event)
    head = collection.head
    if head is None or head.prediction is None:
        plan = _park(merge)
    else:
        received = [event.received_at for event in (*incoming, *merge.kept.values())]
        plan = _label(merge, head, head.prediction, max(received, default=None))
    if not (merge.duplicates or merge.conflicts):
        return plan
    return replace(plan, duplicates=merge.duplicates, conflicts=tuple(merge.conflicts))


def plan_mature(collection: Collection, rules: ConfigurationRevision, now: datetime) -> JoinPlan:
    """Return what the clock changes by ``now``: windows that closed, defaults that fell due, parked feedback."""
    head = collection.head
    if head is None or not (head.rejoin or (head.due_at and head.due_at <= now)):
        return _nothing(collection)
    if head.prediction is None:
        return _give_up(collection, head, now)
    return _label(_Merge(collection, rules), head, head.prediction, now)


class _Merge:
    """Stored and incoming feedback by id, the first delivery of each; ``written`` is what the store has not."""

    def __init__(self, collection: Collection, rules: ConfigurationRevision) -> None:
        self.collection = collection
        self.rules = rules
        self.kept = {event.feedback_id: event for event in collection.feedback}
        self.written: dict[str, Feedback] = {}
        self.conflicts: list[Feedback] = []
        self.duplicates = 0

    def add(self, event: Feedback) -> None:
        other = self.kept.get(event.feedback_id)
        if other is None:
            self._keep(event)
            return
        is_first = delivery_order(event) < delivery_order(other)
        if event.body_digest == other.body_digest:
            self.duplicates += 1
        else:
            self.conflicts.append(other if is_first else event)
        if is_first:
            self._keep(event)

    def joined(self, prediction: PredictionTimes | None) -> tuple[JoinedFeedback, ...]:
        labels, task = self.rules.configuration.labels, self.rules.configuration.task
        return tuple(
            JoinedFeedback(event, disposition(event, prediction, labels, task)) for event in self.written.values()
        )

    def _keep(self, event: Feedback) -> None:
        self.kept[event.feedback_id] = self.written[event.feedback_id] = event


def _nothing(collection: Collection) -> JoinPlan:
    return JoinPlan(key=collection.key, before=collection.head, after=collection.head)


def _label(merge: _Merge, head: Head, prediction: PredictionTimes, until: datetime | None) -> JoinPlan:
    rules, events = merge.rules, list(merge.kept.values())
    start = known_from(prediction)
    reached = head.resolved_as_of or start
    until = max(reached, until or start)
    # An event that was received before others joined already changes the history from its own time on.
    since = min((event.received_at for event in merge.written.values()), default=reached)
    span = max(start, min(since, reached)), until
    records, due_at = new_records(prediction, events, merge.collection.labels, rules, span)
    if not (merge.written or records or head.rejoin or due_at != head.due_at):
        return _nothing(merge.collection)
    after = replace(
        head,
        revision=head.revision + 1,
        feedback_count=len(events),
        label_seq=records[-1].seq if records else head.label_seq,
        resolved_as_of=until,
        due_at=due_at,
        rejoin=False,
    )
    return JoinPlan(key=head.key, before=head, after=after, feedback=merge.joined(prediction), records=records)


def _park(merge: _Merge) -> JoinPlan:
    head, events = merge.collection.head, merge.kept.values()
    if not merge.written:
        return _nothing(merge.collection)
    first = min(event.received_at for event in events)
    given_up = head.resolved_as_of if head else None
    after = Head(
        key=merge.collection.key,
        prediction=None,
        revision=head.revision + 1 if head else 1,
        feedback_count=len(events),
        label_seq=0,
        resolved_as_of=given_up,
        due_at=_parking_ends(events, given_up),
        expires_at=head.expires_at if head else int(shifted(first, merge.rules.configuration.retention).timestamp()),
    )
    return JoinPlan(key=after.key, before=head, after=after, feedback=merge.joined(None))


def _give_up(collection: Collection, head: Head, now: datetime) -> JoinPlan:
    """Tell what has waited too long. It stays until it expires: a prediction that does come still finds it."""
    unmatched = tuple(
        event
        for event in collection.feedback
        if (end := shifted(event.received_at, PARKING_LIMIT)) <= now
        and (head.resolved_as_of is None or end > head.resolved_as_of)
    )
    after = replace(
        head, revision=head.revision + 1, resolved_as_of=now, due_at=_parking_ends(collection.feedback, now)
    )
    return JoinPlan(key=head.key, before=head, after=after, unmatched=unmatched)


def _parking_ends(events: Iterable[Feedback], after: datetime | None) -> datetime | None:
    ends = (shifted(event.received_at, PARKING_LIMIT) for event in events)
    return min((end for end in ends if after is None or end > after), default=None)
