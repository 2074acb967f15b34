"""Item collections in memory, judged by the same contract suite as DynamoLabels."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zlib import crc32

from msgspec.structs import replace

from hindsight.entities.label_collection import Collection, Head, PredictionTimes
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.labels.disposition import Disposition
from hindsight.labels.plan import JoinPlan
from hindsight.labels.store import ALL, OpenLabels, Share


class InMemoryLabels:
    """Collections in a dictionary; ``page`` is the size of the pages of ``due``."""

    def __init__(self, page: int = 2) -> None:
        self.collections: dict[PredictionKey, Collection] = {}
        self.dispositions: dict[tuple[PredictionKey, str], Disposition] = {}
        self._predictions: dict[PredictionKey, Prediction] = {}
        self._page = page

    def save(self, prediction: Prediction, retention: timedelta, due_at: datetime | None = None) -> None:
        """Store a prediction as capture does, over a placeholder if there is one."""
        placeholder = self._collection(prediction.key).head
        head = Head(
            key=prediction.key,
            prediction=PredictionTimes(prediction.occurred_at, prediction.received_at, prediction.outcome_due_at),
            revision=placeholder.revision if placeholder else 0,
            feedback_count=placeholder.feedback_count if placeholder else 0,
            label_seq=0,
            resolved_as_of=None,
            due_at=prediction.received_at if placeholder else due_at or prediction.outcome_due_at,
            expires_at=int((prediction.received_at + retention).timestamp()),
            rejoin=placeholder is not None,
            entity_id=prediction.entity_id,
        )
        self._predictions[prediction.key] = prediction
        self.collections[prediction.key] = replace(self._collection(prediction.key), head=head)

    def select(self, key: PredictionKey, probability: float) -> bool:
        """Note how likely a prediction was to be reviewed; return whether there is one."""
        if key not in self._predictions:
            return False
        self._predictions[key] = self._predictions[key].replace(selection_probability=probability)
        return True

    def load(self, keys: Sequence[PredictionKey]) -> list[Collection]:
        return [self._collection(key) for key in keys]

    def commit(self, plans: Sequence[JoinPlan]) -> set[PredictionKey]:
        return {plan.key for plan in plans if not self._write(plan)}

    def due(self, model: str, now: datetime, share: Share = ALL) -> Iterator[list[PredictionKey]]:
        entries = [
            (collection.head.due_at, key)
            for key, collection in self.collections.items()
            if key.model == model
            and collection.head
            and collection.head.due_at
            and collection.head.due_at <= now
            and crc32(key.prediction_id.encode()) % share.of == share.number
        ]
        keys = [key for _, key in sorted(entries)]
        for start in range(0, len(keys), self._page):
            yield keys[start : start + self._page]

    def open_labels(self, model: str, now: datetime, most: int) -> OpenLabels:
        heads = (found.head for key, found in self.collections.items() if key.model == model)
        moments = sorted(head.due_at for head in heads if head and head.due_at and head.due_at > now)
        counted = len(moments[:most])
        return OpenLabels(predictions=counted, next_due_at=min(moments, default=None), capped=counted < len(moments))

    def predictions(self, keys: Sequence[PredictionKey]) -> dict[PredictionKey, Prediction]:
        return {key: self._predictions[key] for key in keys if key in self._predictions}

    def _collection(self, key: PredictionKey) -> Collection:
        return self.collections.get(key) or Collection(key=key, head=None)

    def _write(self, plan: JoinPlan) -> bool:
        current = self._collection(plan.key)
        if (current.head is None) != (plan.before is None):
            return False
        if current.head and plan.before:
            same_kind = (current.head.prediction is None) == (plan.before.prediction is None)
            if not same_kind or current.head.revision != plan.before.revision:
                return False
        feedback = {event.feedback_id: event for event in current.feedback}
        for joined in plan.feedback:
            feedback[joined.event.feedback_id] = joined.event
            self.dispositions[plan.key, joined.event.feedback_id] = joined.disposition
        self.collections[plan.key] = Collection(
            key=plan.key,
            head=plan.after,
            feedback=tuple(feedback[feedback_id] for feedback_id in sorted(feedback)),
            labels=(*current.labels, *plan.records),
        )
        return True
