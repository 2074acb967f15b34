"""Effects of feedback are counted alike by the fake and by DynamoDB."""

from datetime import timedelta
from typing import Any

import pytest

from hindsight.adapters.predictions_table.effect_table import KEPT_FOR, DynamoEffects
from hindsight.core.times import hour_of
from hindsight.labels.joining.effects import EffectCounts, EffectStore, FeedbackEffect
from hindsight.testing.predictions.effects import InMemoryEffects
from tests.unit.labels.builders import MODEL, NOON, event

HOUR = timedelta(hours=1)


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> EffectStore:
    if request.param == "in_memory":
        return InMemoryEffects()
    return DynamoEffects("predictions", request.getfixturevalue("dynamodb"))


def counted(effect: FeedbackEffect, number: int = 1, *, hours: float = 0, model: str = MODEL) -> EffectCounts:
    counts = EffectCounts()
    counts.add(event("demand", 5, hours=hours, model=model), effect, number)
    return counts


def test_counts_of_an_hour_add_up(store: EffectStore) -> None:
    store.add(counted(FeedbackEffect.COUNTED, 3))
    store.add(counted(FeedbackEffect.COUNTED, 2, hours=0.9))
    store.add(counted(FeedbackEffect.UNKNOWN_PREDICTION, 4))
    store.add(counted(FeedbackEffect.UNKNOWN_PREDICTION, -1))
    assert store.between(MODEL, NOON, NOON) == {
        hour_of(NOON): {FeedbackEffect.COUNTED: 5, FeedbackEffect.UNKNOWN_PREDICTION: 3}
    }


def test_hours_are_read_with_both_ends_and_by_model(store: EffectStore) -> None:
    for hours in range(-1, 4):
        store.add(counted(FeedbackEffect.DUPLICATE, hours=hours))
    store.add(counted(FeedbackEffect.DUPLICATE, hours=1, model="other"))
    assert list(store.between(MODEL, NOON, NOON + 2 * HOUR)) == [NOON, NOON + HOUR, NOON + 2 * HOUR]
    assert store.between(f"{MODEL}2", NOON, NOON + 2 * HOUR) == {}


def test_nothing_counted_is_nothing_stored(store: EffectStore) -> None:
    store.add(EffectCounts())
    assert store.between(MODEL, NOON, NOON) == {}


def test_counts_expire_three_days_after_their_hour(dynamodb: Any) -> None:
    DynamoEffects("predictions", dynamodb).add(counted(FeedbackEffect.COUNTED))
    (item,) = dynamodb.scan(TableName="predictions")["Items"]
    assert item["pk"] == {"S": f"{MODEL}#"}
    assert int(item["expires_at"]["N"]) == (NOON + KEPT_FOR).timestamp()
