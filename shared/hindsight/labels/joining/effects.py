"""The effect of feedback on labels, counted by cause and by the hour in which it was received."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hindsight.config.store import ConfigurationRevision
from hindsight.core.times import hour_of
from hindsight.entities.feedback import Feedback
from hindsight.entities.label_collection import Collection
from hindsight.labels.disposition import Disposition, disposition
from hindsight.labels.plan import JoinPlan
from hindsight.labels.rules import rules_of


class FeedbackEffect(StrEnum):
    """The effect of an event: ``counted``, or the cause for which it can change no label."""

    COUNTED = "counted"
    UNKNOWN_PREDICTION = "unknown_prediction"
    OUT_OF_WINDOW = "out_of_window"
    UNMATCHED_RULE = "unmatched_rule"
    EXCLUDED_SOURCE = "excluded_source"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    ERASED = "erased"


_OF_DISPOSITION = {
    Disposition.PENDING: FeedbackEffect.UNKNOWN_PREDICTION,
    Disposition.OUT_OF_WINDOW: FeedbackEffect.OUT_OF_WINDOW,
    Disposition.UNMATCHED_RULE: FeedbackEffect.UNMATCHED_RULE,
    Disposition.EXCLUDED_SOURCE: FeedbackEffect.EXCLUDED_SOURCE,
}

Effects = Counter[FeedbackEffect]


class EffectCounts:
    """Counts of effects by model and hour."""

    __slots__ = ("by_hour",)

    def __init__(self) -> None:
        self.by_hour: dict[tuple[str, datetime], Effects] = {}

    def add(self, event: Feedback, effect: FeedbackEffect, number: int = 1) -> None:
        """Count an event in the hour in which it was received."""
        self.by_hour.setdefault((event.model, hour_of(event.received_at)), Counter())[effect] += number

    def merge(self, other: "EffectCounts") -> None:
        """Add all counts of another."""
        for hour, effects in other.by_hour.items():
            self.by_hour.setdefault(hour, Counter()).update(effects)


class EffectStore(Protocol):
    """The counts of effects of the last days."""

    def add(self, counts: EffectCounts) -> None:
        """Add counts to those of their hours. Raises Unavailable."""

    def between(self, model: str, first: datetime, last: datetime) -> dict[datetime, Effects]:
        """Read a model's counts of the hours from one to another, both included, without those that have none."""


def count_effects(
    counts: EffectCounts,
    collection: Collection,
    plan: JoinPlan,
    incoming: Sequence[Feedback],
    revision: ConfigurationRevision,
) -> None:
    """Count what the incoming events of a plan do, and what those do now that waited for their prediction.

    An event that its file delivers again is no news and counts once. One that waited moves from
    ``unknown_prediction`` to its effect, in the hour of its own. One by entity or reference counts for each prediction
    that it is matched with, at first; what a later match takes from one it brings to another.
    """
    for event, effect in _of_incoming(collection, plan, incoming):
        counts.add(event, effect)
    before, after = plan.before, plan.after
    if before is None or not before.rejoin or before.prediction is None or after is None or after.rejoin:
        return
    rules = rules_of(revision)
    for event in collection.feedback:
        counts.add(event, FeedbackEffect.UNKNOWN_PREDICTION, -1)
        counts.add(event, _effect_of(disposition(event, before.prediction, rules)))


def total(found: Mapping[datetime, Effects], since: datetime) -> Effects:
    """Sum the counts of the hours since a moment; counts that moved between hours never fall below zero."""
    effects: Effects = Counter()
    for hour, counted in found.items():
        if hour >= since:
            effects.update(counted)
    return +effects


def _of_incoming(
    collection: Collection, plan: JoinPlan, incoming: Sequence[Feedback]
) -> Iterator[tuple[Feedback, FeedbackEffect]]:
    # By identity: of two events of one id one may be written and the other not.
    written = {id(joined.event): joined.disposition for joined in plan.feedback}
    conflicting, limited = ({id(event) for event in part} for part in (plan.conflicts, plan.limited))
    planned = written.keys() | limited
    known = {event.feedback_id: event for event in collection.feedback} if incoming else {}
    for event in incoming:
        stored = known.get(event.feedback_id)
        if event.prediction_id is None and (stored is not None or id(event) not in planned):
            continue
        if id(event) in written:
            if written[id(event)] is not Disposition.TAKEN_OVER:
                yield event, _effect_of(written[id(event)])
        elif plan.erased:
            yield event, FeedbackEffect.ERASED
        elif id(event) in limited:
            yield event, FeedbackEffect.RATE_LIMITED
        elif id(event) in conflicting:
            yield event, FeedbackEffect.CONFLICT
        elif not _is_delivered_again(event, stored):
            yield event, FeedbackEffect.DUPLICATE


def _is_delivered_again(event: Feedback, stored: Feedback | None) -> bool:
    """Recognise the very event that is stored: what a client sends again is received later."""
    return stored is not None and stored.received_at == event.received_at


def _effect_of(found: Disposition) -> FeedbackEffect:
    return _OF_DISPOSITION.get(found, FeedbackEffect.COUNTED)
