"""The records that a relabelling writes for one prediction: its label under today's rules, known from now."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import Feedback
from hindsight.entities.label_collection import Collection
from hindsight.labels.history import news_of
from hindsight.labels.merge import Merge
from hindsight.labels.plan import JoinPlan, labelled, unchanged
from hindsight.labels.resolve import known_from


def plan_recover(collection: Collection, incoming: Sequence[Feedback], revision: ConfigurationRevision) -> JoinPlan:
    """Plan the writes of raw events before a relabelling: they change no label yet.

    For a prediction with more of them than one transaction takes.
    """
    head = collection.head
    if head is None or head.prediction is None:
        return unchanged(Merge(collection, revision))
    merge = Merge(collection, revision, incoming)
    if not merge.written:
        return replace(unchanged(merge), conflicts=())
    after = replace(head, revision=head.revision + 1, feedback_count=len(merge.kept))
    feedback = merge.joined(head.prediction)
    return JoinPlan(key=head.key, before=head, after=after, feedback=feedback, duplicates=merge.duplicates)


def plan_relabel(
    collection: Collection, incoming: Sequence[Feedback], revision: ConfigurationRevision, at: datetime
) -> JoinPlan:
    """Plan the writes of relabelling a prediction at a moment, once its raw events are merged in.

    The label that a revision gives is known from ``at``, never from before: what a snapshot as of an earlier moment
    saw stays as it was. Where the label is the same nothing is written, so that relabelling again changes nothing.
    A collection without its prediction is left alone: its label has no history yet, or has expired.

    In a replay the collection may have followed a clock that is ahead of ``at``; then its own time counts.
    """
    merge, head = Merge(collection, revision, incoming), collection.head
    if head is None or head.prediction is None:
        return unchanged(Merge(collection, revision))
    moment = max(at, known_from(head.prediction), head.resolved_as_of or at, *news_of(merge.kept.values()))
    plan = labelled(merge, head, head.prediction, (moment, moment))
    is_news = plan.feedback or plan.records or head.rejoin or (plan.after and plan.after.due_at != head.due_at)
    # Conflicts were set aside when the raw events were first joined.
    return replace(plan if is_news else unchanged(merge), conflicts=())
