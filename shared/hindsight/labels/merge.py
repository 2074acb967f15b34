"""Stored and incoming feedback of one prediction, the first delivery of each id."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import FOR_EVER, Feedback
from hindsight.entities.label_collection import Collection, PredictionTimes
from hindsight.labels.disposition import JoinedFeedback, disposition
from hindsight.labels.resolve import delivery_order
from hindsight.labels.rules import rules_of


class Merge:
    """A collection with some events merged into it; ``written`` are those that the store lacks."""

    __slots__ = ("collection", "conflicts", "duplicates", "kept", "revision", "written")

    def __init__(
        self, collection: Collection, revision: ConfigurationRevision, incoming: Iterable[Feedback] = ()
    ) -> None:
        self.collection = collection
        self.revision = revision
        self.kept = {event.feedback_id: event for event in collection.feedback}
        self.written: dict[str, Feedback] = {}
        self.conflicts: list[Feedback] = []
        self.duplicates = 0
        for event in incoming:
            self._add(event)

    def joined(self, prediction: PredictionTimes | None) -> tuple[JoinedFeedback, ...]:
        """List the events to write, each with what it means for the prediction."""
        rules = rules_of(self.revision)
        return tuple(JoinedFeedback(event, disposition(event, prediction, rules)) for event in self.written.values())

    def _add(self, event: Feedback) -> None:
        other = self.kept.get(event.feedback_id)
        if other is None:
            self._keep(event)
            return
        is_first = delivery_order(event) < delivery_order(other)
        if event.body_digest == other.body_digest and event.prediction_id is None:
            # Whether it was delivered before is known where it is matched; here a match may have ended.
            event = (event if is_first else other).replace(given_until=_sooner(event.given_until, other.given_until))
            if event != other:
                self._keep(event)
            return
        if event.body_digest == other.body_digest:
            self.duplicates += 1
        else:
            self.conflicts.append(other if is_first else event)
        if is_first:
            self._keep(event)

    @property
    def news(self) -> list[datetime]:
        """The moments from which the events to write may change the label."""
        if not self.collection.feedback:
            return [event.received_at for event in self.written.values()]
        before, news = {event.feedback_id: event for event in self.collection.feedback}, list[datetime]()
        for event in self.written.values():
            known = before.get(event.feedback_id)
            if known is None or (known.received_at, known.body_digest) != (event.received_at, event.body_digest):
                news.append(event.received_at)
            else:
                # A match without an end is no news: other rules than those it was made by named its way.
                ends = ((way, end) for way, end in event.given_until.items() if end != FOR_EVER)
                news += [max(event.received_at, end) for way, end in ends if end != known.given_until.get(way)]
        return news

    def _keep(self, event: Feedback) -> None:
        self.kept[event.feedback_id] = self.written[event.feedback_id] = event


def _sooner(one: Mapping[str, datetime], other: Mapping[str, datetime]) -> dict[str, datetime]:
    """Merge what is known of when matches end: later predictions only ever bring an end forward."""
    return {way: min(one.get(way, FOR_EVER), other.get(way, FOR_EVER)) for way in one.keys() | other.keys()}
