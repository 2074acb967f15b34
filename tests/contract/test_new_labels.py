"""New labels are kept alike by the fake and by DynamoDB."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from hindsight.adapters.models_table.new_label_table import DynamoNewLabels
from hindsight.labels.archiving import new_labels
from hindsight.labels.archiving.new_label_counts import (
    HOUR,
    MINUTES,
    Arrivals,
    HourCounts,
    NewLabel,
    StaleHour,
    arrivals_of,
    counts_of,
)
from hindsight.labels.archiving.new_label_store import Marks, NewLabelStore
from hindsight.labels.archiving.new_labels import SETTLES_AFTER, NewLabels, UpcomingLabels
from hindsight.testing.predictions.new_labels import InMemoryNewLabels

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = NOON.date()
DAY = timedelta(days=1)


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> NewLabelStore:
    if request.param == "in_memory":
        return InMemoryNewLabels()
    return DynamoNewLabels("models", request.getfixturevalue("dynamodb"))


def arrived(*names: str, hour: datetime = NOON, model: str = "m") -> Arrivals:
    [found] = arrivals_of(NewLabel(model, name, hour, hour + timedelta(days=1)) for name in names)
    return found


def minutes(**counts: int) -> list[int]:
    return [counts.get(f"at{minute}", 0) for minute in range(MINUTES)]


def plain(counts: HourCounts) -> tuple[datetime, dict[date, list[int]]]:
    return counts.hour, {day: list(found) for day, found in counts.days.items()}


def test_arrivals_come_back_newest_hour_first_and_equal_ones_once(store: NewLabelStore) -> None:
    later, early, other = arrived("c", hour=NOON + HOUR), arrived("a", "b"), arrived("d")
    store.note([later, early])
    store.note([early, other, arrived("a", model="another")])
    found = list(store.arrivals("m", None))
    assert set(found) == {later, early, other}
    assert [arrivals.hour for arrivals in found] == [NOON + HOUR, NOON, NOON]
    assert found[0].entries == later.entries


def test_hours_are_read_from_one_on_and_before_another(store: NewLabelStore) -> None:
    noted = [arrived("a", hour=NOON + number * HOUR) for number in range(4)]
    store.note(noted)
    assert list(store.arrivals("m", NOON + HOUR)) == noted[:0:-1]
    assert list(store.arrivals("m", NOON + HOUR, NOON + 3 * HOUR)) == noted[2:0:-1]
    assert list(store.arrivals("m", None, NOON)) == []


def test_counts_of_hours_come_back_oldest_first_with_all_their_days(store: NewLabelStore) -> None:
    made = [
        HourCounts(NOON + number * HOUR, {TODAY: minutes(at0=number + 1), TODAY + 90 * DAY: minutes(at1439=300_000)})
        for number in range(4)
    ]
    for counts in reversed(made):
        assert store.keep_hour("m", counts, None)
    assert list(map(plain, store.hours("m", None, NOON + 9 * HOUR))) == list(map(plain, made))
    assert list(map(plain, store.hours("m", NOON + HOUR, NOON + 3 * HOUR))) == list(map(plain, made[1:3]))
    assert [found.version for found in store.hours("m", None, NOON + HOUR)] == [made[0].version]
    assert list(store.hours("another", None, NOON + 9 * HOUR)) == []


def test_counts_of_an_hour_are_replaced_only_by_a_worker_that_knows_them(store: NewLabelStore) -> None:
    first = HourCounts(NOON, {TODAY: minutes(at1=1), TODAY + DAY: minutes(at1=1)})
    second = HourCounts(NOON, {TODAY: minutes(at1=2)})
    assert store.keep_hour("m", first, None)
    assert not store.keep_hour("m", second, None)
    assert list(map(plain, store.hours("m", None, NOON + HOUR))) == [plain(first)]
    assert store.keep_hour("m", second, first.version)
    assert not store.keep_hour("m", first, first.version)
    assert list(map(plain, store.hours("m", None, NOON + HOUR))) == [plain(second)]


def test_stale_hours_are_kept_until_each_is_fresh(store: NewLabelStore) -> None:
    hours = [StaleHour("m", NOON + number * HOUR, name) for number in range(3) for name in ("a", "b")]
    for _ in range(2):
        store.mark_stale([*reversed(hours), StaleHour("another", NOON, "a")])
    assert store.stale("m", None, NOON + 3 * HOUR) == hours
    assert store.stale("m", NOON + HOUR, NOON + 2 * HOUR) == hours[2:4]
    for _ in range(2):
        store.mark_fresh(hours[:3])
    assert store.stale("m", None, NOON + 3 * HOUR) == hours[3:]


def test_span_that_ends_before_it_begins_has_nothing(store: NewLabelStore) -> None:
    """As a delivery of an old event asks, once a newer one has moved the marks."""
    assert store.keep_hour("m", HourCounts(NOON, {TODAY: minutes(at0=1)}), None)
    store.mark_stale([StaleHour("m", NOON, "a")])
    store.add("m", TODAY, NOON, minutes(at1=1))
    assert list(store.hours("m", NOON + 2 * HOUR, NOON)) == []
    assert store.stale("m", NOON + 2 * HOUR, NOON) == []
    assert store.days("m", TODAY + DAY, TODAY - DAY) == []


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


def test_each_mark_moves_only_forward(store: NewLabelStore) -> None:
    assert store.marks(["m"]) == {}
    for hour in (NOON, NOON + HOUR, NOON):
        store.advance("m", settled=hour)
    assert store.marks(["m", "another"]) == {"m": Marks(settled=NOON + HOUR)}
    for hour in (NOON + 3 * HOUR, NOON):
        store.advance("m", summed=hour)
    store.advance("another", summed=NOON)
    assert store.marks(["m", "another"]) == {
        "m": Marks(settled=NOON + HOUR, summed=NOON + 3 * HOUR),
        "another": Marks(summed=NOON),
    }


def test_labels_are_counted_alike_as_they_are_noted_summed_up_and_settled(
    store: NewLabelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than one count reads, since a snapshot before, amid and after the hours that are not settled."""
    monkeypatch.setattr(new_labels, "MAX_READ", 60)
    counted = NewLabels(store)

    def labels(number: int) -> list[NewLabel]:
        hour = NOON + number * HOUR
        return [NewLabel("m", f"{number}-{one}", hour, hour + one * timedelta(minutes=5)) for one in range(10)]

    for number in range(30):
        for part in (labels(number), labels(number)[:5], labels(number)[3:]):
            counted.note(part)
        counted.condense("m", NOON + number * HOUR)
        counts = [
            counted.count(
                "m", since=NOON + since * HOUR - timedelta(minutes=1), as_of=NOON + (number + 1) * HOUR, window=DAY
            )
            for since in (0, number // 2, number)
        ]
        assert counts == [10 * (number + 1 - since) for since in (0, number // 2, number)]
    # One that comes late, and that is delivered again.
    counted.note([*labels(20), NewLabel("m", "late", NOON + 20 * HOUR, NOON + 20 * HOUR)])
    for now in (NOON + 29 * HOUR, NOON + 30 * HOUR, NOON + 50 * HOUR + SETTLES_AFTER):
        assert counted.count("m", since=NOON - HOUR, as_of=NOON + 40 * HOUR, window=DAY) == 301
        counted.condense("m", now)


def test_labels_that_are_due_later_are_counted_alike_as_they_are_noted_summed_up_and_settled(
    store: NewLabelStore,
) -> None:
    counted = NewLabels(store)
    dues = [NOON - DAY, NOON, NOON + 3 * DAY, NOON + 30 * DAY, NOON + 3000 * DAY]
    counted.note([NewLabel("m", f"p{number}", NOON, due) for number, due in enumerate(dues)])
    for now in (NOON, NOON + 2 * HOUR, NOON + 3 * HOUR + SETTLES_AFTER):
        assert counted.upcoming("m", NOON + HOUR) == UpcomingLabels(3, NOON + 3 * DAY)
        assert counted.upcoming("m", NOON + 3 * DAY) == UpcomingLabels(2, NOON + 30 * DAY)
        assert counted.upcoming("m", NOON + 3000 * DAY) == UpcomingLabels(0, None)
        counted.condense("m", now)


def test_a_batch_that_comes_while_its_hour_is_summed_up_is_in_one_form_or_the_other(dynamodb: Any) -> None:
    """Before every call that summing up makes, in turn."""
    for step in range(16):
        model = f"m{step}"
        store = DynamoNewLabels("models", dynamodb)
        counted = NewLabels(store)
        store.note([arrived("a", "b", model=model)])
        late = [NewLabel(model, name, NOON, NOON + DAY) for name in "bc"]
        done = before_call(dynamodb, step, partial(store_of(dynamodb).note, late))
        counted.condense(model, NOON + HOUR)
        done()
        for _ in range(2):
            assert counted.count(model, since=NOON, as_of=NOON + 2 * DAY, window=DAY) == 3
            counted.condense(model, NOON + 2 * HOUR)
        assert store.stale(model, None, NOON + 2 * HOUR) == []
        [found] = store.hours(model, None, NOON + HOUR)
        assert sum(map(sum, found.days.values())) == 3


def test_every_read_that_marks_and_counts_rest_on_is_consistent(dynamodb: Any) -> None:
    reads: list[bool] = []

    def see(params: dict[str, Any], **_: Any) -> None:
        reads.append(
            params.get("ConsistentRead") or all(one["ConsistentRead"] for one in params["RequestItems"].values())
        )

    for operation in ("Query", "GetItem", "BatchGetItem"):
        dynamodb.meta.events.register(f"provide-client-params.dynamodb.{operation}", see)
    counted = NewLabels(DynamoNewLabels("models", dynamodb))
    counted.note([NewLabel("m", "a", NOON, NOON)])
    counted.condense("m", NOON + HOUR + SETTLES_AFTER)
    assert counted.count("m", since=NOON - HOUR, as_of=NOON, window=DAY) == 1
    assert len(reads) > 5
    assert all(reads)


def test_overtaken_worker_adds_the_arrivals_left_by_the_other(dynamodb: Any) -> None:
    mine, other = (DynamoNewLabels("models", dynamodb) for _ in range(2))
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
    assert size(item) <= 17 * 1024
    assert int(item["expires_at"]["N"]) > NOON.timestamp()


def test_counts_of_a_busy_hour_are_few_kilobytes_and_expire(dynamodb: Any) -> None:
    def labels() -> Sequence[NewLabel]:
        return [NewLabel("m", f"p{one}", NOON, NOON + one % 7200 * timedelta(seconds=1)) for one in range(20_000)]

    counts, read = counts_of(NOON, arrivals_of(labels()))
    assert read == 20_000
    DynamoNewLabels("models", dynamodb).keep_hour("m", counts, None)
    items = dynamodb.scan(TableName="models")["Items"]
    assert sum(map(size, items)) <= 2 * 1024
    assert all(int(item["expires_at"]["N"]) > NOON.timestamp() for item in items)


def size(item: dict[str, Any]) -> int:
    return sum(len(name) + sum(len(part) for part in value.values()) for name, value in item.items())


def store_of(client: Any) -> NewLabels:
    return NewLabels(DynamoNewLabels("models", client))


def before_call(client: Any, step: int, work: Callable[[], None]) -> Callable[[], None]:
    """Do work once, before the call that follows a number of others; the result does it if there were fewer."""
    left, waiting = [step], [work]

    def see(**_: Any) -> None:
        left[0] -= 1
        if left[0] < 0 and waiting:
            waiting.pop()()

    client.meta.events.register_first("before-call.dynamodb", see)

    def done() -> None:
        client.meta.events.unregister("before-call.dynamodb", see)
        if waiting:
            waiting.pop()()

    return done
