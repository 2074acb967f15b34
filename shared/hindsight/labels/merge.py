"""Stored and incoming feedback of one prediction, the first delivery of each id."""

from collections.abc import Iterable

from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import Feedback
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
        if event.body_digest == other.body_digest:
            self.duplicates += 1
        else:
            self.conflicts.append(other if is_first else event)
        if is_first:
            self._keep(event)

    def _keep(self, event: Feedback) -> None:
        self.kept[event.feedback_id] = self.written[event.feedback_id] = event
