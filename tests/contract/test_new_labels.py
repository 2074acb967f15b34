"""New labels are kept alike by the fake and by DynamoDB."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hindsight.adapters.models_table.new_label_table import DynamoNewLabels
from hindsight.labels.archiving.new_labels import (
    HOUR,
    MINUTES,
    Arrivals,
    NewLabel,
    NewLabelStore,
    arrivals_of,
    packed_of,
)
from hindsight.testing.predictions.new_labels import InMemoryNewLabels

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = NOON.date()


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> NewLabelStore:
    if request.param == "in_memory":
        return InMemoryNewLabels()
    return DynamoNewLabels("models", request.getfixturevalue("dynamodb"), sleep=lambda _: None)


def arrived(*names: str, hour: datetime = NOON, model: str = "m") -> Arrivals:
    [found] = arrivals_of(NewLabel(model, name, hour, hour + timedelta(days=1)) for name in names)
    return found


def minutes(**counts: int) -> list[int]:
    return [counts.get(f"at{minute}", 0) for minute in range(MINUTES)]


def test_arrivals_come_back_hour_by_hour_and_equal_ones_once(store: NewLabelStore) -> None:
    later, early, other = arrived("c", hour=NOON + HOUR), arrived("a", "b"), arrived("d")
    store.note([later, early])
    store.note([early, other, arrived("a", model="another")])
    found = list(store.arrivals("m", None))
    assert set(found) == {later, early, other}
    assert [arrivals.hour for arrivals in found] == [NOON, NOON, NOON + HOUR]
    assert found[-1].entries == later.entries


def test_hours_are_read_from_one_on_and_before_another(store: NewLabelStore) -> None:
    noted = [arrived("a", hour=NOON + number * HOUR) for number in range(4)]
    store.note(noted)
    assert list(store.arrivals("m", NOON + HOUR)) == noted[1:]
    assert list(store.arrivals("m", NOON + HOUR, NOON + 3 * HOUR)) == noted[1:3]
    assert list(store.arrivals("m", None, NOON)) == []


def test_an_hour_is_added_to_a_day_once(store: NewLabelStore) -> None:
    store.add("m", TODAY, NOON, minutes(at0=2, at719=1))
    store.add("m", TODAY, NOON, minutes(at0=2, at719=1))
    store.add("m", TODAY, NOON + HOUR, minutes(at719=4, at1439=300_000))
    [found] = store.days("m", TODAY, TODAY)
    assert (found.day, found.settled_until) == (TODAY, NOON + 2 * HOUR)
    assert list(found.minutes) == minutes(at0=2, at719=5, at1439=300_000)


def test_days_are_read_from_a_first_to_a_last_one(store: NewLabelStore) -> None:
    days = [TODAY + timedelta(days=number) for number in range(4)]
    for day in days:
        store.add("m", day, NOON, minutes(at1=1))
    assert [found.day for found in store.days("m", days[1], days[2])] == days[1:3]
    assert store.days("another", days[0], days[3]) == []
    assert store.days("m", date(2020, 1, 1), date(2020, 12, 31)) == []


def test_the_mark_moves_only_forward(store: NewLabelStore) -> None:
    assert store.settled_until("m") is None
    for hour in (NOON, NOON + HOUR, NOON):
        store.mark_settled("m", hour)
    assert store.settled_until("m") == NOON + HOUR
    assert store.settled_until("another") is None


def test_a_settler_that_is_overtaken_adds_to_what_the_other_left(dynamodb: Any) -> None:
    mine, other = (DynamoNewLabels("models", dynamodb, sleep=lambda _: None) for _ in range(2))
    overtakes = iter([True])

    def overtake(**_: Any) -> None:
        if next(overtakes, False):
            other.add("m", TODAY, NOON, minutes(at5=1))

    dynamodb.meta.events.register_first("before-call.dynamodb.PutItem", overtake)
    mine.add("m", TODAY, NOON, minutes(at5=1))
    [found] = mine.days("m", TODAY, TODAY)
    assert found.minutes[5] == 1


def test_a_batch_of_a_thousand_labels_is_one_item_of_17_units(dynamodb: Any) -> None:
    names = [f"p{number}" for number in range(1000)]
    DynamoNewLabels("models", dynamodb).note([arrived(*names)])
    [item] = dynamodb.scan(TableName="models")["Items"]
    size = sum(len(name) + sum(len(part) for part in value.values()) for name, value in item.items())
    assert size <= 17 * 1024
    assert int(item["expires_at"]["N"]) > NOON.timestamp()


def test_what_is_forgotten_is_gone_and_what_is_packed_comes_last_in_its_hour(store: NewLabelStore) -> None:
    parts = [arrived(name) for name in "abcdef"]
    packed = packed_of(parts[:4])
    store.note([*packed, *parts, arrived("g", hour=NOON + HOUR)])
    found = list(store.arrivals("m", None))
    assert [(arrivals.hour, arrivals.is_packed) for arrivals in found] == [
        *[(NOON, False)] * 6,
        (NOON, True),
        (NOON + HOUR, False),
    ]
    for _ in range(2):
        store.forget(parts[:4])
    assert set(store.arrivals("m", None, NOON + HOUR)) == {*packed, *parts[4:]}
