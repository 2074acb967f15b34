"""Predictions in memory, judged by the same contract suite as DynamoPredictions."""

from collections.abc import Sequence
from datetime import timedelta

from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.ingestion.prediction_store import DueAt, SavedPrediction, SaveOutcome, when_outcome_is_due


class InMemoryPredictions:
    """Predictions in a dictionary; ``early`` are keys for which feedback waits, ``erased`` those of erased ones."""

    def __init__(self) -> None:
        self.kept: dict[PredictionKey, Prediction] = {}
        self.early: set[PredictionKey] = set()
        self.erased: set[PredictionKey] = set()

    def save(
        self, predictions: Sequence[Prediction], retention: timedelta, due_at: DueAt = when_outcome_is_due
    ) -> list[SavedPrediction]:
        return [self._save(prediction) for prediction in predictions]

    def _save(self, prediction: Prediction) -> SavedPrediction:
        if prediction.key in self.erased:
            return SavedPrediction(SaveOutcome.CONFLICT, prediction, is_erased=True)
        existing = self.kept.get(prediction.key)
        if existing is None:
            self.kept[prediction.key] = prediction
            return SavedPrediction(SaveOutcome.STORED, prediction, prediction.key in self.early)
        same = existing.body_digest == prediction.body_digest
        return SavedPrediction(SaveOutcome.UNCHANGED if same else SaveOutcome.CONFLICT, existing)


class RecordedRejoins:
    """A record of the predictions that were to be joined with their early feedback."""

    def __init__(self) -> None:
        self.keys: list[PredictionKey] = []

    def rejoin(self, keys: Sequence[PredictionKey]) -> None:
        self.keys.extend(keys)
