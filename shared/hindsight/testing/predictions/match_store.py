"""Events and predictions by shared keys in memory, judged by the same contract suite as DynamoMatches."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from hindsight.config.labels import RETRACTED
from hindsight.entities.feedback import Feedback, MatchKey
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.matching.recipients import Candidate
from hindsight.labels.matching.store import Arrival, KeptEvent, KeyedPrediction, Place, Span
from hindsight.labels.resolve import delivery_order
from hindsight.labels.store import LabelStore


class InMemoryMatches:
    """Events and predictions in dictionaries; ``page`` is the size of the pages of events."""

    def __init__(self, labels: LabelStore, page: int = 2) -> None:
        self._labels = labels
        self._page = page
        self._events: dict[MatchKey, dict[str, Feedback]] = {}
        self._candidates: dict[MatchKey, set[Candidate]] = {}
        self._displaced: dict[tuple[MatchKey, str], list[datetime]] = {}
        self._waits: dict[tuple[MatchKey, str], datetime] = {}
        self._settled: set[tuple[MatchKey, str]] = set()

    def keep(self, events: Sequence[Feedback], retention: timedelta) -> list[Arrival]:
        return [self._keep(event) for event in events]

    def _keep(self, event: Feedback) -> Arrival:
        known = self._events.setdefault(event.match_key, {})
        before = known.get(event.feedback_id)
        first = event if before is None or delivery_order(event) < delivery_order(before) else before
        known[event.feedback_id] = first
        other = None if before is None else before if first is event else event
        refused = other if other is not None and other.body_digest != first.body_digest else None
        if before is not None and first is event and refused is not None:
            self._displaced.setdefault((event.match_key, event.feedback_id), []).append(before.occurred_at)
            self._settled.discard((event.match_key, event.feedback_id))
        return Arrival(self._kept(first), before, refused)

    def enter(self, predictions: Sequence[KeyedPrediction]) -> None:
        for entry in predictions:
            self._candidates.setdefault(entry.key, set()).add(entry.candidate)

    def candidates(self, key: MatchKey, span: Span, *, newest_first: bool) -> Iterator[Candidate]:
        found = sorted(one for one in self._candidates.get(key, ()) if _holds(span, one.occurred_at))
        yield from reversed(found) if newest_first else found

    def events(self, key: MatchKey, span: Span, after: Place | None = None) -> Iterator[list[KeptEvent]]:
        events = [event for event in self._events.get(key, {}).values() if event.name != RETRACTED]
        found = sorted(
            (
                event
                for event in events
                if _holds(span, event.occurred_at) and (after is None or (event.occurred_at, event.feedback_id) > after)
            ),
            key=lambda event: (event.occurred_at, event.feedback_id),
        )
        for start in range(0, len(found), self._page):
            yield [self._kept(event) for event in found[start : start + self._page]]

    def has_events(self, key: MatchKey, span: Span) -> bool:
        return next(self.events(key, span), None) is not None

    def event(self, key: MatchKey, feedback_id: str) -> KeptEvent | None:
        event = self._events.get(key, {}).get(feedback_id)
        return None if event is None else self._kept(event)

    def copies(self, keys: Sequence[PredictionKey], feedback_id: str) -> dict[PredictionKey, Feedback]:
        collections = self._labels.load(keys)
        return {
            collection.key: event
            for collection in collections
            for event in collection.feedback
            if event.feedback_id == feedback_id
        }

    def wait(self, event: Feedback, until: datetime | None, *, again: bool = False) -> None:
        name = (event.match_key, event.feedback_id)
        if until is None:
            self._waits.pop(name, None)
            self._settled.add(name)
        elif again or name not in self._settled:
            self._settled.discard(name)
            self._waits[name] = until

    def waited(self, model: str, now: datetime) -> Iterator[list[Feedback]]:
        over = sorted((until, *name) for name, until in self._waits.items() if name[0].model == model and until <= now)
        for start in range(0, len(over), self._page):
            yield [self._events[key][feedback_id] for _, key, feedback_id in over[start : start + self._page]]

    def _kept(self, event: Feedback) -> KeptEvent:
        others = self._events[event.match_key].values()
        withdrawing = [one for one in others if one.name == RETRACTED and one.value == event.feedback_id]
        displaced = self._displaced.get((event.match_key, event.feedback_id), [])
        return KeptEvent(event, () if event.name == RETRACTED else tuple(withdrawing), tuple(displaced))


def _holds(span: Span, moment: datetime) -> bool:
    return (span.since is None or span.since <= moment) and (span.until is None or moment <= span.until)
