"""The partitions of shared keys without an erased entity, page by page."""

from typing import Any

import pytest
from msgspec.structs import replace

from hindsight.adapters.predictions_table import subject_keys
from hindsight.adapters.predictions_table.match_table import DynamoMatches
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.adapters.predictions_table.subject_keys import DynamoSubjectKeys
from hindsight.adapters.predictions_table.subject_table import DynamoSubjectCollections
from hindsight.config.labels import MatchBy
from hindsight.entities.feedback import Feedback, MatchKey
from hindsight.labels.matching.recipients import Candidate
from hindsight.labels.matching.store import KeyedPrediction, Span
from tests.unit.labels.builders import MODEL, RETENTION, at, event, prediction

CUSTOMER = MatchKey(MODEL, MatchBy.ENTITY, "customer # 17 ü")
ORDER = MatchKey(MODEL, MatchBy.REFERENCE, "order-9")
EXPIRES = 2_000_000_000


@pytest.fixture
def matches(dynamodb: Any) -> DynamoMatches:
    return DynamoMatches("predictions", dynamodb)


@pytest.fixture
def keys(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> DynamoSubjectKeys:
    monkeypatch.setattr(subject_keys, "_PAGE", 4)
    return DynamoSubjectKeys("predictions", dynamodb)


def churned(feedback_id: str, hours: float, **changes: Any) -> Feedback:
    said = event(changes.pop("name", "churned"), feedback_id=feedback_id, hours=hours, **changes)
    return said.replace(prediction_id=None, entity_id=CUSTOMER.value)


def entry(prediction_id: str, hours: float, of: MatchKey = CUSTOMER) -> KeyedPrediction:
    return KeyedPrediction(of, Candidate(at(hours), prediction_id, at(hours)), EXPIRES)


def left(dynamodb: Any) -> set[str]:
    return {item["sk"]["S"].rpartition("#")[2] for item in dynamodb.scan(TableName="predictions")["Items"]}


def test_events_and_entries_up_to_a_moment_go_and_later_ones_stay(
    matches: DynamoMatches, keys: DynamoSubjectKeys, dynamodb: Any
) -> None:
    matches.keep([churned(f"f-{number}", hours=number) for number in range(20)], RETENTION)
    matches.enter([entry(f"p-{number}", number) for number in range(20)])

    removed = list(keys.erase(CUSTOMER, at(9)))

    assert sum(removed) == 30
    assert len(removed) > 7
    assert left(dynamodb) == {f"{kind}-{number}" for kind in "fp" for number in range(10, 20)}
    assert list(keys.erase(CUSTOMER, at(9))) == []
    assert len([one for page in matches.events(CUSTOMER, Span(None, None)) for one in page]) == 10


def test_time_of_an_event_that_is_gone_goes_too(matches: DynamoMatches, keys: DynamoSubjectKeys, dynamodb: Any) -> None:
    matches.keep([churned("f-1", hours=1)], RETENTION)
    dynamodb.delete_item(
        TableName="predictions", Key={"pk": {"S": f"#entity#{MODEL}#customer # 17 ü"}, "sk": {"S": "event#f-1"}}
    )
    assert list(keys.erase(CUSTOMER, at(9))) == [1]
    assert left(dynamodb) == set()


def test_retraction_that_came_alone_goes_and_one_of_a_later_event_is_forgotten(
    matches: DynamoMatches, keys: DynamoSubjectKeys
) -> None:
    before = [churned("r-1", 1, name="retracted", value="never"), churned("r-2", 1, name="retracted", value="f-1")]
    after = churned("r-3", 12, name="retracted", value="f-1")
    matches.keep([*before, after, churned("f-1", hours=11)], RETENTION)

    list(keys.erase(CUSTOMER, at(9)))

    kept = matches.event(CUSTOMER, "f-1")
    assert kept is not None
    assert kept.retractions == (after,)
    assert list(keys.erase(CUSTOMER, at(20)))
    assert matches.event(CUSTOMER, "f-1") is None


@pytest.mark.parametrize(
    ("entity_id", "is_shared"), [("customer-17", False), ("customer-18", True), (None, True)], ids=str
)
def test_key_is_shared_where_a_stored_prediction_is_not_the_entitys(
    matches: DynamoMatches, keys: DynamoSubjectKeys, dynamodb: Any, entity_id: str | None, is_shared: bool
) -> None:
    made = [prediction(f"p-{number}", entity_id="customer-17") for number in range(9)]
    made.append(prediction("p-last", entity_id=entity_id))
    DynamoPredictions("predictions", dynamodb).save(made, RETENTION)
    matches.enter([entry(one.prediction_id, 1, ORDER) for one in made])
    matches.enter([entry("p-expired", 1, ORDER)])
    other = replace(ORDER, value="order-10")
    assert keys.shared([ORDER, other], "customer-17") == ({ORDER} if is_shared else set())
    DynamoSubjectCollections("predictions", dynamodb).erase(MODEL, "p-last", EXPIRES)
    assert keys.shared([ORDER], "customer-17") == set()


def test_withdrawal_removes_the_entries_of_some_predictions_alone(
    matches: DynamoMatches, keys: DynamoSubjectKeys, dynamodb: Any
) -> None:
    matches.keep([churned("f-1", 1)], RETENTION)
    matches.enter([entry(f"p-{number}", number) for number in range(9)])
    assert keys.withdraw(CUSTOMER, {"p-1", "p-7", "other"}) == 2
    assert left(dynamodb) == {"f-1", *(f"p-{number}" for number in (0, 2, 3, 4, 5, 6, 8))}
