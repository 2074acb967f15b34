from collections.abc import Sequence
from datetime import timedelta

import pytest

from hindsight.core.errors import Unavailable
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.labels.archiving.existing_predictions import MAX_UNCHECKED_AGE, ExistingPredictions, PredictionChange
from hindsight.testing.predictions.label_store import InMemoryLabels
from tests.unit.labels.builders import RETENTION, at, prediction

NOW = at(24)
LATE = NOW - MAX_UNCHECKED_AGE - timedelta(seconds=1)


class CountedLabels(InMemoryLabels):
    """A table that remembers what was read of it, and may be out of order."""

    def __init__(self, *, is_out_of_order: bool = False) -> None:
        super().__init__()
        self.read = list[PredictionKey]()
        self._is_out_of_order = is_out_of_order

    def predictions(self, keys: Sequence[PredictionKey]) -> dict[PredictionKey, Prediction]:
        if self._is_out_of_order:
            raise Unavailable("the table is too busy to read from")
        self.read += keys
        return super().predictions(keys)


def names(predictions: Sequence[Prediction]) -> list[str]:
    return [found.prediction_id for found in predictions]


def test_late_predictions_that_no_longer_exist_are_left_out_and_the_others_keep_their_order() -> None:
    store = CountedLabels()
    for name in ("a", "c"):
        store.save(prediction(name), RETENTION)
    changes = [PredictionChange(prediction(name), LATE) for name in ("c", "erased", "a")]

    assert names(ExistingPredictions(store, lambda: NOW).among(changes)) == ["c", "a"]


def test_predictions_in_time_are_taken_without_a_read() -> None:
    store = CountedLabels()
    changes = [PredictionChange(prediction("new"), NOW - MAX_UNCHECKED_AGE)]

    assert names(ExistingPredictions(store, lambda: NOW).among(changes)) == ["new"]
    assert store.read == []


def test_only_the_late_ones_of_a_batch_are_read() -> None:
    store = CountedLabels()
    changes = [PredictionChange(prediction("late"), LATE), PredictionChange(prediction("new"), NOW)]

    assert names(ExistingPredictions(store, lambda: NOW).among(changes)) == ["new"]
    assert store.read == [prediction("late").key]


def test_prediction_of_an_unknown_age_is_read() -> None:
    assert ExistingPredictions(CountedLabels(), lambda: NOW).among([PredictionChange(prediction("p"), None)]) == []


def test_table_that_cannot_be_read_fails_the_batch_rather_than_let_anything_through() -> None:
    store = CountedLabels(is_out_of_order=True)

    with pytest.raises(Unavailable):
        ExistingPredictions(store, lambda: NOW).among([PredictionChange(prediction("p"), LATE)])
