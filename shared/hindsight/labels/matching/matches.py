"""The deliveries that come of matching events and predictions."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from hindsight.entities.feedback import FOR_EVER, Feedback
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.matching.recipients import Ends
from hindsight.labels.matching.store import KeptEvent, Span
from hindsight.labels.resolve import shifted
from hindsight.labels.rules import Way


class Seen(Struct, frozen=True, gc=False):
    """An event and the predictions found for it, by way; of one that ``is_new`` without those that had lost it."""

    event: Feedback
    ends: dict[str, Ends]
    is_new: bool


class Matches(Struct, gc=False):
    """The deliveries that come of some events or predictions, and what is not delivered.

    ``refused`` are events whose id had another body; ``crowded`` events that more predictions share than one may
    label, which label the first of them; ``waiting`` counts events that no prediction has yet; ``ignored`` are those
    that no rule reads by that key. ``seen`` is what was found for each event, to be looked at again after the
    deliveries; the flag says that predictions which had lost the event before it came were left out.
    """

    deliveries: dict[PredictionKey, list[Feedback]] = {}
    refused: list[Feedback] = []
    crowded: list[Feedback] = []
    duplicates: int = 0
    waiting: int = 0
    ignored: list[Feedback] = []
    seen: list[Seen] = []

    def add(self, other: "Matches") -> None:
        """Add what came of another event or prediction."""
        for key, events in other.deliveries.items():
            self.deliveries.setdefault(key, []).extend(events)
        self.seen += other.seen
        self.duplicates += other.duplicates
        self.waiting += other.waiting
        if other.refused or other.crowded or other.ignored:
            self.refused += other.refused
            self.crowded += other.crowded
            self.ignored += other.ignored

    def deliver(self, key: PredictionKey, kept: KeptEvent, given_until: Mapping[str, datetime]) -> None:
        """Deliver an event, and what withdraws it, to a prediction."""
        delivered = replace(kept.event, given_until=given_until)
        self.deliveries.setdefault(key, []).extend((delivered, *kept.retractions))


def span_of(event: Feedback, way: Way) -> Span:
    """Compute when the predictions were made whose window holds an event."""
    first = None if way.window is None else shifted(event.occurred_at, -way.window)
    return Span(first, shifted(event.occurred_at, way.clock_skew))


def terms_of(ends: Mapping[str, Ends]) -> dict[str, dict[str, datetime]]:
    """List, by prediction, until when an event is given to it, by way."""
    # A subscripted type is slow to call, and each event comes by here.
    terms: dict[str, dict[str, datetime]] = {}
    for way, found in ends.items():
        for name, until in found.items():
            if name in terms:
                terms[name][way] = until
            else:
                terms[name] = {way: until}
    return terms


def is_current(copy: Feedback, event: Feedback, given_until: Mapping[str, datetime]) -> bool:
    """Check whether a prediction's copy of an event says all that is known of it."""
    known = {way: min(until, copy.given_until.get(way, FOR_EVER)) for way, until in given_until.items()}
    same = (copy.body_digest, copy.received_at) == (event.body_digest, event.received_at)
    return same and known == {way: copy.given_until.get(way) for way in given_until}


def each_id_once(events: Iterable[Feedback]) -> Iterator[list[Feedback]]:
    """Split events of a model into groups in which no id of a key stands twice."""
    groups, seen = list[list[Feedback]](), dict[tuple[str | None, str | None, str], int]()
    for event in events:
        identity = (event.entity_id, event.reference, event.feedback_id)
        number = seen[identity] = seen.get(identity, -1) + 1
        if number == len(groups):
            groups.append([])
        groups[number].append(event)
    yield from groups
