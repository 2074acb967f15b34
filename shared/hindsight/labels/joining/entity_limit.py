"""Limits of entities: feedback beyond its limit is set aside, never counted, never lost."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from hindsight.config.feedback import EntityLimit
from hindsight.config.model import ModelConfiguration
from hindsight.entities.feedback import Feedback
from hindsight.entities.label_collection import Collection
from hindsight.labels.resolve import shifted

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Allowance:
    """The allowance of an entity in one span: which span of whom it is, how much, and until when it is remembered.

    ``name`` is a hash: it names no entity. ``expires_at`` is in epoch seconds.
    """

    model: str
    name: str
    count: int
    expires_at: int


class EntityAllowances(Protocol):
    """The feedback that entities sent, by allowance."""

    def take(self, allowance: Allowance, events: Sequence[str]) -> set[str]:
        """Select which of some events are within an allowance, the first ones first.

        An event that was taken before is, and takes nothing again: a file that is delivered twice counts once. Of
        workers that take at once each gets only what the others have left. Raises Unavailable.
        """


@dataclass(frozen=True, slots=True)
class EntityLimits:
    """The limits of a model's configuration on the feedback of one entity."""

    allowances: EntityAllowances

    def within(
        self, collection: Collection, events: Sequence[Feedback], configuration: ModelConfiguration
    ) -> tuple[list[Feedback], list[Feedback]]:
        """Divide the events on one prediction into those within its entity's limit, and those beyond.

        What is joined already has been counted; what comes before its prediction, or for one that names no entity, is
        not limited: no entity is known. Raises Unavailable.
        """
        limit = configuration.feedback.limits.per_entity
        head = collection.head
        if limit is None or head is None or head.entity_id is None:
            return list(events), []
        known = {event.feedback_id for event in collection.feedback}
        spans: dict[datetime, list[Feedback]] = {}
        for event in sorted(events, key=lambda event: (event.received_at, event.feedback_id)):
            if event.feedback_id not in known:
                spans.setdefault(span_start(event.received_at, limit.per), []).append(event)
        beyond = set[str]()
        for start, found in spans.items():
            allowance = _allowance(configuration, head.entity_id, start, limit)
            names = {_name(event): event.feedback_id for event in found}
            taken = self.allowances.take(allowance, list(names))
            beyond |= {feedback_id for name, feedback_id in names.items() if name not in taken}
        within = [event for event in events if event.feedback_id not in beyond]
        return within, list({event.feedback_id: event for event in events if event.feedback_id in beyond}.values())


def span_start(moment: datetime, length: timedelta) -> datetime:
    """Compute the beginning of a moment's span; spans follow each other from 1970 on.

    >>> span_start(datetime(2026, 3, 1, 12, 30, tzinfo=UTC), timedelta(hours=1)).isoformat()
    '2026-03-01T12:00:00+00:00'
    """
    return moment - (moment - _EPOCH) % length


def _allowance(configuration: ModelConfiguration, entity_id: str, start: datetime, limit: EntityLimit) -> Allowance:
    # As long as predictions are kept: a relabelling that reads the raw events again finds what was taken then.
    expires_at = int(shifted(shifted(start, limit.per), configuration.retention).timestamp())
    whose = "\0".join((configuration.model, entity_id, start.isoformat(), str(limit.per)))
    return Allowance(configuration.model, hashlib.sha256(whose.encode()).hexdigest(), limit.count, expires_at)


def _name(event: Feedback) -> str:
    """Compute what an event counts as: one by entity or reference is the same for every prediction that it labels."""
    named = event.prediction_id or f"{event.match_key.by.value}\0{event.match_key.value}"
    return hashlib.sha256(f"{named}\0{event.feedback_id}".encode()).hexdigest()[:16]
