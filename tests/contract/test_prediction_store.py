"""The contract of prediction stores, for the fake and DynamoDB alike."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hindsight.adapters.dynamodb.requests import item_bytes
from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.prediction_items import prediction_from_item, prediction_to_item
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.adapters.predictions_table.subject_table import DynamoSubjectCollections
from hindsight.core.errors import TooLarge, Unavailable
from hindsight.entities.label_collection import Collection
from hindsight.entities.prediction import Prediction, ShadowAnswer
from hindsight.ingestion.prediction_store import PredictionStore, SaveOutcome
from hindsight.labels.plan import plan_join
from hindsight.testing.predictions.prediction_store import InMemoryPredictions
from tests.unit.labels import builders as label_builders
from tests.unit.labels.builders import event, key, revision

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RETENTION = timedelta(days=400)


@pytest.fixture(params=["in_memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> PredictionStore:
    if request.param == "in_memory":
        return InMemoryPredictions()
    return DynamoPredictions("predictions", request.getfixturevalue("dynamodb"))


def prediction(name: str = "p-1", digest: str = "d", **changes: Any) -> Prediction:
    kept = Prediction(
        model="m",
        prediction_id=name,
        features={"x": 0.1, "hour": "7", "note": None},
        score=0.1 + 0.2,
        decision=1,
        model_version="v1",
        occurred_at=NOW,
        received_at=NOW,
        outcome_due_at=NOW + timedelta(days=2),
        probabilities={"a": 0.25, "b": 0.75},
        propensity=0.3,
        body_digest=digest,
    )
    return kept.replace(**changes)


def test_a_new_prediction_is_stored(store: PredictionStore) -> None:
    (saved,) = store.save([prediction()], RETENTION)

    assert (saved.outcome, saved.kept, saved.feedback_waits) == (SaveOutcome.STORED, prediction(), False)


@pytest.mark.parametrize("probabilities", [None, {"a": 0.1 + 0.2, "b": 0.7}])
def test_shadow_answer_is_read_back_exactly(store: PredictionStore, probabilities: dict[str, float] | None) -> None:
    said = ShadowAnswer(version="v2", score=1e-200, decision="a", probabilities=probabilities)
    store.save([prediction(shadow=said)], RETENTION)

    (saved,) = store.save([prediction()], RETENTION)

    assert saved.kept.shadow == said


def test_a_prediction_waits_for_the_transaction_that_parks_its_feedback(dynamodb: Any) -> None:
    conflict = dynamodb.exceptions.TransactionConflictException({"Error": {"Code": "TransactionConflict"}}, "PutItem")
    held = [conflict, conflict]

    class Held:
        """A client whose first calls meet a transaction on the same item."""

        exceptions = dynamodb.exceptions

        def put_item(self, **request: Any) -> Any:
            if held:
                raise held.pop()
            return dynamodb.put_item(**request)

    (saved,) = DynamoPredictions("predictions", Held()).save([prediction()], RETENTION)  # type: ignore[arg-type]

    assert saved.outcome is SaveOutcome.STORED
    assert held == []


def test_the_same_prediction_again_comes_back_exactly(store: PredictionStore) -> None:
    store.save([prediction()], RETENTION)

    (saved,) = store.save([prediction(score=0.9, received_at=NOW + timedelta(hours=1))], RETENTION)

    assert (saved.outcome, saved.kept) == (SaveOutcome.UNCHANGED, prediction())


@pytest.mark.parametrize("others", [0, 1, 250])
def test_among_many_each_gets_its_own_outcome(store: PredictionStore, others: int) -> None:
    store.save([prediction("known"), prediction("taken")], RETENTION)
    many = [prediction(f"other-{number}") for number in range(others)]

    results = store.save([prediction("known"), *many, prediction("taken", digest="else")], RETENTION)

    assert results[0].outcome is SaveOutcome.UNCHANGED
    assert results[-1].outcome is SaveOutcome.CONFLICT
    assert results[-1].kept == prediction("taken")
    assert {saved.outcome for saved in results[1:-1]} <= {SaveOutcome.STORED}
    assert [saved.kept.prediction_id for saved in results[1:-1]] == [kept.prediction_id for kept in many]


def test_large_features_come_back_exactly(store: PredictionStore) -> None:
    wide = prediction(features={f"column-{number}": number / 7 for number in range(500)})
    store.save([wide], RETENTION)

    (saved,) = store.save([wide], RETENTION)

    assert saved.kept == wide


@pytest.mark.parametrize("digest", ["d", "else"])
def test_an_erased_prediction_is_a_conflict_with_the_mark_of_its_erasure(
    request: pytest.FixtureRequest, store: PredictionStore, digest: str
) -> None:
    store.save([prediction()], RETENTION)
    if isinstance(store, InMemoryPredictions):
        store.erased.add(prediction().key)
    else:
        table = DynamoSubjectCollections("predictions", request.getfixturevalue("dynamodb"))
        table.erase("m", "p-1", int((NOW + RETENTION).timestamp()))

    erased, other = store.save([prediction(digest=digest), prediction("other")], RETENTION)

    assert (erased.outcome, erased.is_erased, erased.kept) == (SaveOutcome.CONFLICT, True, prediction(digest=digest))
    assert (other.outcome, other.is_erased) == (SaveOutcome.STORED, False)


def test_a_prediction_expires_with_its_retention(dynamodb: Any) -> None:
    DynamoPredictions("predictions", dynamodb).save([prediction()], RETENTION)

    item = dynamodb.get_item(TableName="predictions", Key={"pk": {"S": "m#p-1"}, "sk": {"S": "prediction"}})["Item"]

    assert int(item["expires_at"]["N"]) == int((NOW + RETENTION).timestamp())


def test_a_prediction_whose_feedback_still_waits_says_so_again(dynamodb: Any) -> None:
    labels, predictions = DynamoLabels("predictions", dynamodb), DynamoPredictions("predictions", dynamodb)
    labels.commit([plan_join(Collection(key=key(), head=None), [event("demand", 150)], revision())])
    made = label_builders.prediction()
    predictions.save([made], RETENTION)

    (again,) = predictions.save([made], RETENTION)
    assert (again.outcome, again.feedback_waits) == (SaveOutcome.UNCHANGED, True)

    labels.commit([plan_join(labels.load([key()])[0], (), revision())])
    (again,) = predictions.save([made], RETENTION)
    assert not again.feedback_waits


def test_a_prediction_that_the_clock_never_changes_is_never_due(dynamodb: Any) -> None:
    DynamoPredictions("predictions", dynamodb).save([prediction()], RETENTION, lambda _: None)

    assert list(DynamoLabels("predictions", dynamodb).due("m", NOW + timedelta(days=9999))) == []


CLASSES = {f"class-{number:04d}": 1 / (number + 3) for number in range(600)}


class Sized:
    """A client that refuses what DynamoDB refuses: transactions above 4 MB."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.exceptions = client.exceptions
        self.transactions: list[int] = []

    def transact_write_items(self, **request: Any) -> Any:
        size = sum(item_bytes(operation["Put"]["Item"]) for operation in request["TransactItems"])
        assert size <= 4_000_000
        self.transactions.append(size)
        return self._client.transact_write_items(**request)


@pytest.mark.parametrize("classes", [600, 2_000])
def test_rows_of_many_classes_with_a_shadow_fit_their_transactions(dynamodb: Any, classes: int) -> None:
    dice = random.Random(7)
    rows = []
    for number in range(100):
        said = {f"class-{label:04d}": dice.random() for label in range(classes)}
        unseen = ShadowAnswer(version="v2", score=0.5, decision="class-0001", probabilities=said)
        rows.append(prediction(f"p-{number}", probabilities=said, shadow=unseen))
    client = Sized(dynamodb)

    saved = DynamoPredictions("predictions", client).save(rows, RETENTION)  # type: ignore[arg-type]

    assert {found.outcome for found in saved} == {SaveOutcome.STORED}
    assert client.transactions
    (again,) = DynamoPredictions("predictions", dynamodb).save([rows[7]], RETENTION)
    assert (again.outcome, again.kept) == (SaveOutcome.UNCHANGED, rows[7])


def test_a_prediction_larger_than_an_item_is_refused_before_anything_is_stored(dynamodb: Any) -> None:
    dice = random.Random(7)
    endless = {f"class-{label}": dice.random() for label in range(40_000)}
    store = DynamoPredictions("predictions", dynamodb)

    with pytest.raises(TooLarge, match="'large' takes"):
        store.save([prediction("small"), prediction("large", probabilities=endless)], RETENTION)

    (saved,) = store.save([prediction("small")], RETENTION)
    assert saved.outcome is SaveOutcome.STORED


def test_probabilities_that_were_stored_as_text_are_still_read() -> None:
    stored = prediction_to_item(prediction(probabilities=CLASSES), 0, None)
    item = {name: value for name, value in stored.items() if value is not None}
    assert isinstance(item["probabilities"], bytes)
    item["probabilities"] = json.dumps(CLASSES)
    assert prediction_from_item(item).probabilities == CLASSES


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("code", ["ThrottlingException", "ProvisionedThroughputExceededException"])
def test_table_at_its_limit_makes_the_call_unavailable(dynamodb: Any, rows: int, code: str) -> None:
    refusal = ClientError({"Error": {"Code": code, "Message": "Throughput exceeds the current capacity"}}, "PutItem")

    class AtItsLimit:
        exceptions = dynamodb.exceptions

        def put_item(self, **_: Any) -> Any:
            raise refusal

        transact_write_items = put_item

    store = DynamoPredictions("predictions", AtItsLimit())  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match=code):
        store.save([prediction(f"p-{number}") for number in range(rows)], RETENTION)
