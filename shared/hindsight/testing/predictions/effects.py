"""Effects of feedback in memory, judged by the same contract suite as DynamoEffects."""

from datetime import datetime

from hindsight.labels.joining.effects import EffectCounts, Effects


class InMemoryEffects:
    """The counts of all models and hours."""

    def __init__(self) -> None:
        self.counts = EffectCounts()

    def add(self, counts: EffectCounts) -> None:
        self.counts.merge(counts)

    def between(self, model: str, first: datetime, last: datetime) -> dict[datetime, Effects]:
        return {
            hour: effects
            for (of, hour), effects in sorted(self.counts.by_hour.items())
            if of == model and first <= hour <= last
        }
