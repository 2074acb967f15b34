"""The port of the store of events by entity or reference, and of the predictions that carry the same key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from msgspec import Struct

from hindsight.entities.feedback import Feedback, MatchKey
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.matching.recipients import Candidate


class KeptEvent(Struct, frozen=True, gc=False):
    """One event as its key keeps it: the delivery of its id that was received first.

    ``retractions`` are the events that withdraw it; ``displaced`` the times of other bodies of its id that it took the
    place of: predictions around them may still have those.
    """

    event: Feedback
    retractions: tuple[Feedback, ...] = ()
    displaced: tuple[datetime, ...] = ()


class Arrival(Struct, frozen=True, gc=False):
    """The result of keeping one event.

    ``before`` is the delivery that its id had before, None for a new one; ``refused`` another body of the id, which is
    set aside: the one received later of the two.
    """

    kept: KeptEvent
    before: Feedback | None = None
    refused: Feedback | None = None


class Span(Struct, frozen=True, gc=False):
    """A stretch of time, both ends included; without an end it is open there."""

    since: datetime | None
    until: datetime | None


class Place(NamedTuple):
    """The place of an event among those of its key, by time."""

    occurred_at: datetime
    feedback_id: str


@dataclass(frozen=True, slots=True)
class KeyedPrediction:
    """A prediction under one of its keys; ``expires_at``, in epoch seconds, is when its entry may be deleted."""

    key: MatchKey
    candidate: Candidate
    expires_at: int = field(default=0, compare=False)


class MatchStore(Protocol):
    """Events and predictions by the key they share. What was written is seen by every read that begins afterwards."""

    def keep(self, events: Sequence[Feedback], retention: timedelta) -> list[Arrival]:
        """Keep events with different ids for a time, all durably, and say how each stands, in order.

        Raises Unavailable.
        """

    def enter(self, predictions: Sequence[KeyedPrediction]) -> None:
        """Enter predictions under their keys, all durably; again changes nothing. Raises Unavailable."""

    def candidates(self, key: MatchKey, span: Span, *, newest_first: bool) -> Iterator[Candidate]:
        """Find the predictions of a key made within a span, in the order of their making, read as far as taken."""

    def events(self, key: MatchKey, span: Span, after: Place | None = None) -> Iterator[list[KeptEvent]]:
        """Find the events of a key that occurred within a span, behind a place, page by page, without retractions."""

    def has_events(self, key: MatchKey, span: Span) -> bool:
        """Check, by one small read, whether events of a key may have occurred within a span; False if none has."""

    def event(self, key: MatchKey, feedback_id: str) -> KeptEvent | None:
        """Find an event of a key by its id."""

    def copies(self, keys: Sequence[PredictionKey], feedback_id: str) -> dict[PredictionKey, Feedback]:
        """Find the copies of an event that some predictions have."""

    def wait(self, event: Feedback, until: datetime | None, *, again: bool = False) -> None:
        """Note until when an event waits for its first prediction, None if its wait is over.

        One whose wait is over waits no more, but ``again``.
        """

    def waited(self, model: str, now: datetime) -> Iterator[list[Feedback]]:
        """Find the events of a model whose wait is over by ``now``, page by page."""
