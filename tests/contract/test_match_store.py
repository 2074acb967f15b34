"""The contract of stores of events and predictions by shared keys, judged on the fake and on DynamoDB alike."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pytest
from msgspec.structs import replace

from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.match_table import DynamoMatches
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.config.labels import MatchBy
from hindsight.core.times import format_time
from hindsight.entities.feedback import FOR_EVER, Feedback, MatchKey
from hindsight.entities.prediction import Prediction
from hindsight.labels.matching.matcher import KeyMatcher
from hindsight.labels.matching.recipients import Candidate
from hindsight.labels.matching.store import Arrival, KeptEvent, KeyedPrediction, MatchStore, Place, Span
from hindsight.labels.plan import plan_join
from hindsight.labels.store import LabelStore
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.match_store import InMemoryMatches
from tests.unit.labels.builders import MODEL, RETENTION, at, event, key, prediction, revision

CUSTOMER = MatchKey(MODEL, MatchBy.ENTITY, "customer # 17 ü")
EVER = Span(None, None)
EXPIRES = 2_000_000_000
RULES = revision({"event": "churned", "by": "entity", "value": 1})


@pytest.fixture(params=["in_memory", "dynamodb"])
def stored(request: pytest.FixtureRequest) -> tuple[MatchStore, LabelStore]:
    if request.param == "in_memory":
        fake = InMemoryLabels()
        return InMemoryMatches(fake), fake
    client = request.getfixturevalue("dynamodb")
    return DynamoMatches("predictions", client), DynamoLabels("predictions", client)


@pytest.fixture
def store(stored: tuple[MatchStore, LabelStore]) -> MatchStore:
    return stored[0]


def churned(feedback_id: str = "f-1", value: Any = None, *, of: MatchKey = CUSTOMER, **changes: Any) -> Feedback:
    said = event(changes.pop("name", "churned"), value, feedback_id=feedback_id, **changes)
    named = {"entity_id": of.value} if of.by is MatchBy.ENTITY else {"reference": of.value}
    return said.replace(prediction_id=None, **named)


def entry(prediction_id: str, hours: float, received: float | None = None, of: MatchKey = CUSTOMER) -> KeyedPrediction:
    candidate = Candidate(at(hours), prediction_id, at(hours if received is None else received))
    return KeyedPrediction(of, candidate, EXPIRES)


def names(store: MatchStore, span: Span = EVER, *, newest_first: bool = False) -> list[str]:
    return [one.prediction_id for one in store.candidates(CUSTOMER, span, newest_first=newest_first)]


def test_new_event_is_kept_and_found_by_its_id_and_its_time(store: MatchStore) -> None:
    (arrival,) = store.keep([churned(hours=3)], RETENTION)
    assert (arrival.kept, arrival.before, arrival.refused) == (KeptEvent(churned(hours=3)), None, None)
    assert store.event(CUSTOMER, "f-1") == arrival.kept
    assert list(store.events(CUSTOMER, Span(at(3), at(3)))) == [[arrival.kept]]
    spans = (Span(at(3), at(3)), Span(at(2), at(2.9)), Span(at(3.1), None), EVER)
    assert [store.has_events(CUSTOMER, span) for span in spans] == [True, False, False, True]
    assert list(store.events(CUSTOMER, Span(at(2), at(2.9)))) == list(store.events(CUSTOMER, Span(at(3.1), None))) == []


def test_events_are_found_behind_a_place(store: MatchStore) -> None:
    store.keep([churned(name, hours=hours) for name, hours in (("a", 1), ("b", 1), ("b1", 1), ("c", 2))], RETENTION)
    found = [one.event.feedback_id for page in store.events(CUSTOMER, EVER, Place(at(1), "b")) for one in page]
    assert found == ["b1", "c"]


def test_span_that_ends_before_it_begins_has_no_events(store: MatchStore) -> None:
    store.keep([churned(hours=3)], RETENTION)
    assert list(store.events(CUSTOMER, Span(at(4), at(2)))) == []
    assert not store.has_events(CUSTOMER, Span(at(4), at(2)))


def test_event_of_another_key_or_model_is_not_found(store: MatchStore) -> None:
    order = MatchKey(MODEL, MatchBy.REFERENCE, CUSTOMER.value)
    store.keep([churned(), churned(of=order, hours=2)], RETENTION)
    assert store.event(order, "f-1") == KeptEvent(churned(of=order, hours=2))
    assert store.event(replace(CUSTOMER, model="other"), "f-1") is None


def test_redelivery_changes_nothing_and_names_the_first_delivery(store: MatchStore) -> None:
    store.keep([churned(received=2)], RETENTION)
    (again,) = store.keep([churned(received=5)], RETENTION)
    assert (again.kept.event, again.before, again.refused) == (churned(received=2), churned(received=2), None)


def test_earlier_receipt_takes_the_place_of_a_later_one_wherever_it_occurred(store: MatchStore) -> None:
    later, earlier = churned(value=1, hours=3, received=5), churned(hours=2, received=4, digest="other")
    store.keep([later], RETENTION)
    (arrival,) = store.keep([earlier], RETENTION)
    assert (arrival.kept.event, arrival.before, arrival.refused) == (earlier, later, later)
    assert [one.event for page in store.events(CUSTOMER, EVER) for one in page] == [earlier]
    (refused,) = store.keep([later], RETENTION)
    assert (refused.kept.event, refused.refused) == (earlier, later)
    assert refused.kept.displaced == (at(3),)


def test_retraction_that_displaces_another_withdraws_its_own_event_alone(store: MatchStore) -> None:
    store.keep([churned("f-1"), churned("f-2")], RETENTION)
    later = churned("r", "f-1", name="retracted", hours=5, received=6, digest="later")
    earlier = churned("r", "f-2", name="retracted", hours=4, received=5, digest="earlier")
    for said in (later, earlier, later):
        store.keep([said], RETENTION)
    (first, second) = (store.event(CUSTOMER, name) for name in ("f-1", "f-2"))
    assert first is not None
    assert second is not None
    assert (first.retractions, second.retractions) == ((), (earlier,))


def test_retractions_are_found_with_the_event_they_withdraw_whichever_came_first(store: MatchStore) -> None:
    first = churned("r-1", "f-1", name="retracted", hours=4)
    second = churned("r-2", "f-1", name="retracted", hours=5)
    store.keep([first], RETENTION)
    assert store.event(CUSTOMER, "f-1") is None
    assert not store.has_events(CUSTOMER, EVER)
    (arrival,) = store.keep([churned()], RETENTION)
    assert arrival == type(arrival)(KeptEvent(churned(), (first,)))
    store.keep([second], RETENTION)
    assert store.event(CUSTOMER, "f-1") == KeptEvent(churned(), (first, second))
    assert [one.event for page in store.events(CUSTOMER, EVER) for one in page] == [churned()]


def test_predictions_are_found_by_time_from_either_end(store: MatchStore) -> None:
    store.enter([entry("p-2", 2), entry("p-1", 1), entry("p-3", 3), entry("q", 2, of=replace(CUSTOMER, value="other"))])
    store.enter([entry("p-2", 2)])
    assert names(store) == ["p-1", "p-2", "p-3"]
    assert names(store, Span(at(2), at(3)), newest_first=True) == ["p-3", "p-2"]
    assert names(store, Span(None, at(1.9))) == ["p-1"]


def test_predictions_of_one_moment_are_in_the_order_of_their_ids(store: MatchStore) -> None:
    store.enter([entry(name, 1) for name in ("b", "a#1", "é", "a", "Z")])
    assert names(store) == ["Z", "a", "a#1", "b", "é"]
    assert names(store, newest_first=True) == ["é", "b", "a#1", "a", "Z"]


def test_hundreds_of_predictions_are_all_found(store: MatchStore) -> None:
    store.enter([entry(f"p-{number:03d}", number / 100, number) for number in range(120)])
    found = list(store.candidates(CUSTOMER, EVER, newest_first=False))
    assert [(one.prediction_id, one.received_at) for one in found] == [(f"p-{n:03d}", at(n)) for n in range(120)]


def test_copies_are_those_that_predictions_have(stored: tuple[MatchStore, LabelStore], request: Any) -> None:
    store, labels = stored
    _save(labels, request, prediction("p-1"))
    given = churned().replace(given_until={"last/open/PT2M": FOR_EVER, "first/P7D/PT2M": at(9)})
    (collection,) = labels.load([key("p-1")])
    labels.commit([plan_join(collection, [given], RULES)])
    assert store.copies([key("p-1"), key("p-2")], "f-1") == {key("p-1"): given}
    assert store.copies([key("p-1")], "f-2") == {}
    (collection,) = labels.load([key("p-1")])
    assert collection.feedback == (given,)


def test_event_waits_until_its_time_or_until_it_is_settled(store: MatchStore) -> None:
    events = [churned(f"f-{number}", hours=number) for number in range(12)]
    store.keep(events, RETENTION)
    for one in events:
        store.wait(one, at(20) if one.feedback_id != "f-3" else at(30))
    store.wait(events[5], None)
    found = [one for page in store.waited(MODEL, at(25)) for one in page]
    assert {one.feedback_id for one in found} == {f"f-{n}" for n in range(12)} - {"f-3", "f-5"}
    assert list(store.waited("other", at(25))) == []


def test_event_whose_wait_is_over_waits_no_more_until_another_body_takes_its_place(store: MatchStore) -> None:
    store.keep([churned(received=10)], RETENTION)
    store.wait(churned(), at(20))
    store.wait(churned(), None)
    store.wait(churned(), at(20))
    assert list(store.waited(MODEL, at(25))) == []
    store.wait(churned(), at(20), again=True)
    assert [len(page) for page in store.waited(MODEL, at(25))] == [1]
    store.wait(churned(), None)
    earlier = churned(received=9, digest="earlier")
    store.keep([earlier], RETENTION)
    store.wait(earlier, at(20))
    assert list(store.waited(MODEL, at(25))) == [[earlier]]


class ManyEntries:
    """A client of a table in which one entity has 100,000 predictions, one a minute, the newest at its end."""

    entries = 100_000

    def __init__(self) -> None:
        self.pages: list[int] = []

    def get_paginator(self, _operation: str) -> "ManyEntries":
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        numbers = range(self.entries) if request["ScanIndexForward"] else range(self.entries - 1, -1, -1)
        size = request["PaginationConfig"]["PageSize"]
        first, last = (request["ExpressionAttributeValues"][name]["S"] for name in (":first", ":last"))
        found = (item for number in numbers if first <= (item := self.item(number))["sk"]["S"] <= last)
        while page := list(islice(found, size)):
            self.pages.append(len(page))
            yield {"Items": page}

    def item(self, number: int) -> dict[str, Any]:
        moment = format_time(at(number / 60))
        return {"sk": {"S": f"prediction#{moment}#p-{number}"}, "received_at": {"S": moment}}


@pytest.mark.parametrize(("match", "labelled"), [("last", "p-59942"), ("first", "p-57060")])
def test_event_reads_two_pages_at_most_of_an_entity_with_a_hundred_thousand_predictions(
    match: str, labelled: str
) -> None:
    client = ManyEntries()
    matcher = KeyMatcher(Keeping("predictions", client))  # type: ignore[arg-type]
    rules = revision({"event": "churned", "by": "entity", "match": match, "window": "P2D", "value": 1})

    found = matcher.match_events([churned(hours=999, received=1100)], rules)

    assert [name.prediction_id for name in found.deliveries] == [labelled]
    assert sum(client.pages) <= 50
    assert len(client.pages) <= 2


class Keeping(DynamoMatches):
    """A store whose events are new and kept elsewhere."""

    def keep(self, events: Sequence[Feedback], expires_at: int) -> list[Arrival]:
        return [Arrival(KeptEvent(one)) for one in events]


def test_event_that_is_gone_does_not_come_back_by_waiting(store: MatchStore) -> None:
    store.wait(churned("gone"), None)
    assert store.event(CUSTOMER, "gone") is None


def test_value_comes_back_as_it_was_sent(store: MatchStore) -> None:
    values = [0.1, 10**15, True, None, "ü\n", ""]
    store.keep([churned(f"f-{number}", value) for number, value in enumerate(values)], RETENTION)
    kept = [store.event(CUSTOMER, f"f-{number}") for number in range(len(values))]
    assert json.dumps([one.event.value for one in kept if one]) == json.dumps(values)


def _save(labels: LabelStore, request: Any, made: Prediction) -> None:
    if isinstance(labels, InMemoryLabels):
        labels.save(made, RETENTION)
    else:
        DynamoPredictions("predictions", request.getfixturevalue("dynamodb")).save([made], RETENTION)


def test_candidates_beyond_the_first_page_come_in_order(store: MatchStore) -> None:
    made = [entry(f"p-{number:02d}", number) for number in range(60)]
    store.enter(made)
    found = [f"p-{number:02d}" for number in range(60)]
    assert names(store) == found
    assert names(store, newest_first=True) == found[::-1]
    assert names(store, Span(at(10), at(50)), newest_first=True) == found[50:9:-1]
