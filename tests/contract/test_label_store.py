"""The contract of label stores, for the fake and DynamoDB alike."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import pytest
from msgspec.structs import replace

from hindsight.adapters.dynamodb.requests import to_item
from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.prediction_items import DUE_SHARDS, head_key
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.config.store import ConfigurationRevision
from hindsight.entities.label import Label, LabelRecord, LabelStatus
from hindsight.entities.label_collection import Collection
from hindsight.entities.prediction import Prediction
from hindsight.labels.joining.window_closing import SWEEPS
from hindsight.labels.plan import JoinPlan, plan_join, plan_window_closing
from hindsight.labels.store import LabelStore, OpenLabels, Share
from hindsight.testing.predictions.label_store import InMemoryLabels
from tests.unit.labels.builders import (
    ANNOTATION,
    DEMAND,
    MODEL,
    RETENTION,
    THUMB,
    at,
    configuration,
    event,
    key,
    prediction,
)

BY_ID = attrgetter("feedback_id")
RULES = ConfigurationRevision(3, configuration(ANNOTATION, DEMAND, THUMB))
Save = Callable[[Prediction], Any]


@pytest.fixture(params=["in_memory", "dynamodb"])
def stored(request: pytest.FixtureRequest) -> tuple[LabelStore, Save]:
    if request.param == "in_memory":
        fake = InMemoryLabels()
        return fake, lambda made: fake.save(made, RETENTION)
    client = request.getfixturevalue("dynamodb")
    predictions = DynamoPredictions("predictions", client)
    return DynamoLabels("predictions", client), lambda made: predictions.save([made], RETENTION)


@pytest.fixture
def store(stored: tuple[LabelStore, Save]) -> LabelStore:
    return stored[0]


@pytest.fixture
def save(stored: tuple[LabelStore, Save]) -> Save:
    return stored[1]


def load(store: LabelStore, prediction_id: str = "p-1") -> Collection:
    (found,) = store.load([key(prediction_id)])
    return found


def plan(store: LabelStore, *events: Any, prediction_id: str = "p-1") -> JoinPlan:
    return plan_join(load(store, prediction_id), events, RULES)


def test_missing_collection_is_empty(store: LabelStore) -> None:
    assert load(store) == Collection(key=key(), head=None)


def test_a_new_prediction_has_a_head_without_feedback(store: LabelStore, save: Save) -> None:
    save(prediction())

    head = load(store).head
    assert head is not None
    assert head.prediction is not None
    assert (head.revision, head.feedback_count, head.label_seq, head.rejoin) == (0, 0, 0, False)
    assert (head.prediction.occurred_at, head.due_at, head.resolved_as_of) == (at(0), at(48), None)
    assert head.expires_at == int((at(0) + RETENTION).timestamp())


def test_a_commit_comes_back_as_it_was_planned(store: LabelStore, save: Save) -> None:
    save(prediction())
    events = [event("thumb", "up"), replace(event("demand", 150.5), source="meter"), event("annotation", False)]
    planned = plan(store, *events)

    assert store.commit([planned]) == set()

    found = load(store)
    assert found.head == planned.after
    assert sorted(found.feedback, key=BY_ID) == sorted(events, key=BY_ID)
    assert found.labels == planned.records
    assert found.labels[-1].label == Label(
        value=0, status=LabelStatus.FINAL, kind="manual", event="annotation", disagreeing=("demand", "thumb")
    )


def test_feedback_before_its_prediction_is_kept_under_a_placeholder(store: LabelStore) -> None:
    planned = plan(store, event("demand", 150))

    assert store.commit([planned]) == set()

    found = load(store)
    assert found.head == planned.after
    assert found.feedback == (event("demand", 150),)
    assert store.predictions([key()]) == {}


def test_of_two_joins_of_one_state_only_the_first_is_written(store: LabelStore, save: Save) -> None:
    save(prediction())
    first, second = plan(store, event("demand", 150)), plan(store, event("annotation", 0))

    assert store.commit([first]) == set()
    assert store.commit([second]) == {key()}

    assert load(store).feedback == (event("demand", 150),)


def test_of_two_placeholders_only_the_first_is_written(store: LabelStore) -> None:
    first, second = plan(store, event("demand", 150)), plan(store, event("annotation", 0))

    assert store.commit([first]) == set()
    assert store.commit([second]) == {key()}

    assert load(store).feedback == (event("demand", 150),)


def test_a_join_planned_on_a_placeholder_loses_to_the_prediction_in_its_place(store: LabelStore, save: Save) -> None:
    store.commit([plan(store, event("demand", 150))])
    planned = plan(store, event("annotation", 0))

    save(prediction())

    assert store.commit([planned]) == {key()}
    head = load(store).head
    assert head is not None
    assert (head.rejoin, head.revision, head.feedback_count) == (True, 1, 1)


def test_a_prediction_in_the_place_of_a_placeholder_is_due_at_once(store: LabelStore, save: Save) -> None:
    store.commit([plan(store, event("demand", 150))])

    save(prediction())

    assert [found for page in store.due(MODEL, at(0)) for found in page] == [key()]


def test_a_join_planned_on_nothing_loses_to_a_new_prediction(store: LabelStore, save: Save) -> None:
    planned = plan(store, event("demand", 150))

    save(prediction())

    assert store.commit([planned]) == {key()}
    assert load(store).feedback == ()


def test_a_rejoin_takes_the_mark_away(store: LabelStore, save: Save) -> None:
    store.commit([plan(store, event("demand", 150))])
    save(prediction())

    store.commit([plan(store)])

    found = load(store)
    assert found.head is not None
    assert not found.head.rejoin
    assert [record.label.value for record in found.labels] == [1]


def test_one_lost_race_does_not_hold_up_the_others(store: LabelStore, save: Save) -> None:
    names = [f"p-{number}" for number in range(70)]
    for name in names:
        save(prediction(name))
    plans = [plan(store, event("demand", 150, prediction_id=name), prediction_id=name) for name in names]
    store.commit([plan(store, event("annotation", 0, prediction_id="p-7"), prediction_id="p-7")])

    assert store.commit(plans) == {key("p-7")}

    found = store.load([key(name) for name in names])
    assert [collection.key for collection in found] == [key(name) for name in names]
    assert sum(collection.labels[-1].label.value == 1 for collection in found) == 69


def test_labels_are_appended_never_replaced(store: LabelStore, save: Save) -> None:
    save(prediction())
    store.commit([plan(store, event("demand", 150))])

    store.commit([plan(store, event("annotation", 0, hours=5))])

    assert [(record.seq, record.label.value) for record in load(store).labels] == [(1, 1), (2, 0)]
    assert load(store).labels[0] == LabelRecord(
        seq=1,
        label=Label(value=1, status=LabelStatus.FINAL, kind="outcome", event="demand"),
        rules_revision=3,
        known_at=at(1),
        is_new=True,
    )


def test_due_prediction_is_found_until_it_is_done(store: LabelStore, save: Save) -> None:
    names = {f"p-{number}" for number in range(20)}
    for name in names:
        save(prediction(name))
    save(prediction("later", hours=1))
    save(prediction("other", model="another-model"))
    store.commit([plan(store, event("demand", 150, prediction_id="p-3"), prediction_id="p-3")])

    due = [found for page in store.due(MODEL, at(48)) for found in page]
    assert {found.prediction_id for found in due} == names - {"p-3"}

    store.commit([plan_window_closing(collection, RULES, at(200)) for collection in store.load(due)])
    assert [found for page in store.due(MODEL, at(100)) for found in page] == [key("later")]


def test_predictions_come_back_as_they_were_stored(store: LabelStore, save: Save) -> None:
    wide = {f"feature-{number}": number / 7 for number in range(500)}
    made = prediction(
        features=wide, score=1e-300, probabilities={"a": 0.25, "b": 0.75}, propensity=0.5, entity_id="e#1"
    )
    save(made)

    assert store.predictions([key(), key("unknown")]) == {key(): made}


def test_due_predictions_of_every_shard_share_pages(dynamodb: Any) -> None:
    names = [f"p-{number}" for number in range(120)]
    DynamoPredictions("predictions", dynamodb).save([prediction(name) for name in names], RETENTION)
    # As an earlier release stored it, which had four shards.
    item = dynamodb.get_item(TableName="predictions", Key=to_item(head_key(key("p-0"))))["Item"]
    dynamodb.put_item(TableName="predictions", Item={**item, "due_shard": {"S": f"{MODEL}#3"}})
    store = DynamoLabels("predictions", dynamodb)

    pages = list(store.due(MODEL, at(24 * 365)))

    assert sorted(found for page in pages for found in page) == sorted(key(name) for name in names)
    assert len(pages) == 1


def test_shares_have_every_prediction_that_is_due_once(store: LabelStore, save: Save) -> None:
    names = [f"p-{number}" for number in range(120)]
    for name in names:
        save(prediction(name))
    assert DUE_SHARDS % SWEEPS == 0
    shares = [[found for page in store.due(MODEL, at(500), Share(n, SWEEPS)) for found in page] for n in range(SWEEPS)]
    assert sorted(found for share in shares for found in share) == sorted(map(key, names))
    assert max(map(len, shares)) < 30


def test_labels_that_wait_for_the_clock_are_counted_with_the_first_moment(store: LabelStore, save: Save) -> None:
    assert store.open_labels(MODEL, at(0), 100) == OpenLabels(predictions=0, next_due_at=None, capped=False)
    for number in range(10):
        save(prediction(f"p-{number}", hours=number))
    save(prediction("other", model="another-model"))
    store.commit([plan(store, event("demand", 150, hours=9, prediction_id="p-9"), prediction_id="p-9")])
    # Due at the very moment is overdue, and what has its final label waits no longer.
    assert store.open_labels(MODEL, at(50), 1000) == OpenLabels(predictions=6, next_due_at=at(51), capped=False)


def test_labels_that_wait_are_counted_up_to_a_limit(store: LabelStore, save: Save) -> None:
    for number in range(3 * DUE_SHARDS):
        save(prediction(f"p-{number}"))
    found = store.open_labels(MODEL, at(0), DUE_SHARDS)
    assert (found.capped, found.next_due_at) == (True, at(48))
    assert 0 < found.predictions <= DUE_SHARDS


def test_page_of_due_predictions_begins_with_the_oldest(store: LabelStore, save: Save) -> None:
    for number in range(20):
        save(prediction(f"p-{number}", hours=number))
    first = next(iter(store.due(MODEL, at(500))))
    assert first[0] == key("p-0")
