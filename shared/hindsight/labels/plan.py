"""The plan of a join, complete before anything is written."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import Feedback
from hindsight.entities.label import LabelRecord
from hindsight.entities.label_collection import Collection, Head, PredictionTimes
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.disposition import JoinedFeedback
from hindsight.labels.history import new_records, news_of
from hindsight.labels.merge import Merge
from hindsight.labels.resolve import known_from, shifted

MATCH_TIMEOUT = timedelta(days=7)
MAX_EVENTS = 40


class JoinPlan(Struct, frozen=True, kw_only=True, gc=False):
    """One join of one prediction: from one revision of its collection to the next, all of it or nothing.

    ``conflicts`` are events whose id was used before with another body, ``unmatched`` pending ones that reached the
    match timeout. ``erased`` is how many events came for a prediction that was erased: they are dropped; ``limited``
    are those beyond what the prediction's entity may send: they are set aside. ``is_unfinished`` says that the history
    is longer than one join can write: joining once more goes on with it.
    """

    key: PredictionKey
    before: Head | None
    after: Head | None
    feedback: tuple[JoinedFeedback, ...] = ()
    records: tuple[LabelRecord, ...] = ()
    is_unfinished: bool = False
    duplicates: int = 0
    conflicts: tuple[Feedback, ...] = ()
    unmatched: tuple[Feedback, ...] = ()
    erased: int = 0
    limited: tuple[Feedback, ...] = ()

    @property
    def changes_something(self) -> bool:
        """True if there is anything to write."""
        return self.before != self.after


def plan_join(collection: Collection, incoming: Sequence[Feedback], revision: ConfigurationRevision) -> JoinPlan:
    """Plan the writes of joining at most ``MAX_EVENTS`` events to a collection; without events, those of a rejoin.

    The times at which labels become known are those of the events and of the clock moments they passed, never of the
    join itself: delivered again or in another order, the same events end in the same label, known at the same time.
    """
    head = collection.head
    if head is not None and head.is_erased:
        return JoinPlan(key=head.key, before=head, after=head, erased=len(incoming))
    if head is None or head.prediction is None:
        # A prediction that an event was matched with and that is gone has expired: it waits for nothing.
        return _keep_pending(Merge(collection, revision, [event for event in incoming if event.prediction_id]))
    merge = Merge(collection, revision, incoming)
    return _label(merge, head, head.prediction, max(news_of((*incoming, *merge.kept.values())), default=None))


def plan_window_closing(collection: Collection, revision: ConfigurationRevision, now: datetime) -> JoinPlan:
    """Plan the closing of windows by ``now``: windows that closed, defaults that fell due, pending feedback."""
    head = collection.head
    if head is None or not (head.rejoin or (head.due_at and head.due_at <= now)):
        return unchanged(Merge(collection, revision))
    if head.prediction is None:
        return _time_out(collection, head, now)
    return _label(Merge(collection, revision), head, head.prediction, now)


def unchanged(merge: Merge) -> JoinPlan:
    """Build the plan that leaves a collection as it is, as the merged events were there already."""
    head = merge.collection.head
    return JoinPlan(
        key=merge.collection.key,
        before=head,
        after=head,
        duplicates=merge.duplicates,
        conflicts=tuple(merge.conflicts),
    )


def _label(merge: Merge, head: Head, prediction: PredictionTimes, until: datetime | None) -> JoinPlan:
    start = known_from(prediction)
    until = max(head.resolved_as_of or start, until or start)
    since = _first_news(merge, head, start, until)
    return unchanged(merge) if since is None else labelled(merge, head, prediction, (since, until))


def labelled(merge: Merge, head: Head, prediction: PredictionTimes, span: tuple[datetime, datetime]) -> JoinPlan:
    """Build the plan that makes a label's history right at every moment of a span, both ends included."""
    events = list(merge.kept.values())
    new = new_records(prediction, events, merge.collection.labels, merge.revision, span)
    after = replace(
        head,
        revision=head.revision + 1,
        feedback_count=len(events),
        label_seq=new.records[-1].seq if new.records else head.label_seq,
        resolved_as_of=span[1] if new.unrecorded_from is None else new.records[-1].known_at,
        # What had no room is due at once: the next join, or the next closing of windows, goes on there.
        due_at=new.unrecorded_from or new.next_change_at,
        rejoin=False,
    )
    return JoinPlan(
        key=head.key,
        before=head,
        after=after,
        feedback=merge.joined(prediction),
        records=new.records,
        is_unfinished=new.unrecorded_from is not None,
        duplicates=merge.duplicates,
        conflicts=tuple(merge.conflicts),
    )


def _first_news(merge: Merge, head: Head, start: datetime, until: datetime) -> datetime | None:
    """Find the first moment from which the label may differ from what the history records, None if there is none.

    Before it the history stays as it is, under changed rules too: a snapshot as of then has been taken.
    """
    moments = list(merge.news)
    if head.resolved_as_of is None or head.rejoin:
        moments.append(start)
    if head.due_at is not None and head.due_at <= until:
        moments.append(head.due_at)
    return max(start, min(moments)) if moments else None


def _keep_pending(merge: Merge) -> JoinPlan:
    head, events = merge.collection.head, merge.kept.values()
    if not merge.written:
        return unchanged(merge)
    first = min(event.received_at for event in events)
    timed_out = head.resolved_as_of if head else None
    after = Head(
        key=merge.collection.key,
        prediction=None,
        revision=head.revision + 1 if head else 1,
        feedback_count=len(events),
        label_seq=0,
        resolved_as_of=timed_out,
        due_at=_next_timeout(events, timed_out),
        expires_at=head.expires_at if head else int(shifted(first, merge.revision.configuration.retention).timestamp()),
    )
    return JoinPlan(
        key=after.key,
        before=head,
        after=after,
        feedback=merge.joined(None),
        duplicates=merge.duplicates,
        conflicts=tuple(merge.conflicts),
    )


def _time_out(collection: Collection, head: Head, now: datetime) -> JoinPlan:
    """Report feedback that has waited too long. It stays until it expires: a later prediction still finds it."""
    unmatched = tuple(
        event
        for event in collection.feedback
        if (end := shifted(event.received_at, MATCH_TIMEOUT)) <= now
        and (head.resolved_as_of is None or end > head.resolved_as_of)
    )
    after = replace(
        head, revision=head.revision + 1, resolved_as_of=now, due_at=_next_timeout(collection.feedback, now)
    )
    return JoinPlan(key=head.key, before=head, after=after, unmatched=unmatched)


def _next_timeout(events: Iterable[Feedback], after: datetime | None) -> datetime | None:
    ends = (shifted(event.received_at, MATCH_TIMEOUT) for event in events)
    return min((end for end in ends if after is None or end > after), default=None)
