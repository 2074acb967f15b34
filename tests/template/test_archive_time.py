"""The archivers' time for a record at worst: an object each, of another model each, every answer a slow one."""

import base64
import json
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from bench.processor import processor_seconds, steady_seconds
from bench.sleeping_account import SleepingService
from hindsight.adapters.aws.s3_lake import S3Lake
from hindsight.adapters.dynamodb.requests import MAX_BATCH_GET, MAX_BATCH_WRITE, at_once, to_item
from hindsight.adapters.models_table.new_label_table import DynamoNewLabels
from hindsight.adapters.predictions_table.label_items import label_to_item
from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.match_table import DynamoMatches
from hindsight.adapters.predictions_table.prediction_items import partition_key, prediction_to_item
from hindsight.entities.label import Label, LabelRecord, LabelStatus
from hindsight.entities.label_collection import Head, PredictionTimes
from hindsight.entities.prediction import Prediction
from hindsight.labels.archiving.archive import Archive
from hindsight.labels.archiving.existing_predictions import ExistingPredictions
from hindsight.labels.archiving.key_entries import KeyEntries
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.matching.matcher import KeyMatcher
from hindsight.runtime.events.stream_records import label_change, new_prediction, read_batch
from hindsight.testing.models.configurations import InMemoryConfigurations
from local.account_rules.timing import LEFT_FOR, WATCHES_THE_CLOCK, WORST_SECONDS
from local.template import TEMPLATE
from local.transformed import deployment
from tests.unit.labels.builders import at, configuration, prediction

# The slowest that account mode, too, lets them be.
S3_SECONDS, DYNAMODB_SECONDS, SQS_SECONDS = 0.040, 0.015, 0.020
RECORDS = 400
# What one virtual processor of Lambda is, in megabytes of memory.
FULL_PROCESSOR = 1769
# A bound that is further from what is measured says nothing; this machine is busy with other tests now and then.
SLACK = 2.5
FEATURES = {f"feature_{number}": number / 7 for number in range(20)}


@pytest.fixture(scope="module")
def keyed_predictions() -> list[Prediction]:
    """Predictions of a model with rules by both keys, each with both, of its own day."""
    names = {number: f"customer-{number}" for number in range(RECORDS)}
    return [
        prediction(f"p{number}", hours=24 * number, features=FEATURES, entity_id=name, reference=f"order-of-{name}")
        for number, name in names.items()
    ]


@pytest.fixture(scope="module")
def predictions() -> list[Prediction]:
    return [prediction(f"p{number}", model=f"model-{number}", features=FEATURES) for number in range(RECORDS)]


def event(images: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Build the records of a stream's event from new items, bytes in base64 as Lambda carries them."""
    return [
        {
            "eventName": "INSERT",
            "dynamodb": {
                "ApproximateCreationDateTime": at(1).timestamp(),
                "SequenceNumber": f"{number:021d}",
                "NewImage": {name: carried(value) for name, value in to_item(image).items()},
            },
        }
        for number, image in enumerate(images)
    ]


def carried(value: Any) -> Any:
    return {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value


def heads_of(predictions: Iterable[Prediction]) -> Callable[[str, bytes], Any]:
    """Answer reads of heads, say of every key that feedback waits, and take every write."""
    items = {
        partition_key(one.key): {
            name: carried(value) for name, value in to_item(prediction_to_item(one, 0, one.outcome_due_at)).items()
        }
        for one in predictions
    }

    def answer(operation: str, body: bytes) -> Any:
        if operation == "Query":
            return {"Items": [{"pk": {"S": "#entity"}, "sk": {"S": "at#"}}], "Count": 1}
        if operation != "BatchGetItem":
            return {}
        [(table, wanted)] = json.loads(body)["RequestItems"].items()
        keys = [key["pk"]["S"] for key in wanted["Keys"]]
        # Of new labels no hour has been summed up yet.
        return {"Responses": {table: [items[key] for key in keys if key in items]}}

    return answer


def label_image(of: Prediction) -> dict[str, Any]:
    times = PredictionTimes(of.occurred_at, of.received_at, of.outcome_due_at)
    head = Head(
        key=of.key,
        prediction=times,
        revision=1,
        feedback_count=1,
        label_seq=1,
        resolved_as_of=None,
        due_at=None,
        expires_at=int((at(0) + timedelta(days=400)).timestamp()),
    )
    label = Label(value=1, status=LabelStatus.FINAL, kind="outcome", event="demand")
    return label_to_item(head, LabelRecord(seq=1, label=label, rules_revision=1, known_at=at(1), is_new=True))


def seconds_a_record(work: Callable[[], int], memory: int, *services: SleepingService) -> float:
    """Measure what a record takes: its share of all waiting, and of a processor that is as large as the memory."""
    taken: list[int] = []
    processor = processor_seconds(lambda: taken.append(work())) * FULL_PROCESSOR / memory
    assert taken == [RECORDS]
    return (sum(one.waited for one in services) + processor) / RECORDS


def memory_of(template: dict[str, Any], name: str) -> int:
    return int(template["Resources"][name]["Properties"]["MemorySize"])


def test_prediction_is_archived_within_the_time_of_the_rule(
    template: dict[str, Any], keyed_predictions: list[Prediction]
) -> None:
    records = event(prediction_to_item(one, 0, one.outcome_due_at) for one in keyed_predictions)
    heads, name = heads_of(keyed_predictions), "ArchivePredictionsFunction"
    rules = [{"event": by, "kind": "outcome", "by": by, "window": "P30D", "value": 1} for by in ("entity", "reference")]
    configurations = InMemoryConfigurations(configuration(*rules))

    def measure() -> float:
        s3, sqs = SleepingService(S3_SECONDS), SleepingService(SQS_SECONDS)
        heads_read, keys = SleepingService(DYNAMODB_SECONDS), SleepingService(DYNAMODB_SECONDS)
        archive = Archive(S3Lake("lake", s3.client("s3")))
        existing = ExistingPredictions(
            DynamoLabels("predictions", heads_read.client("dynamodb", heads)), clock=lambda: at(24)
        )
        matcher = KeyMatcher(DynamoMatches("predictions", keys.client("dynamodb", heads)), side_by_side=at_once)
        key_entries = KeyEntries(matcher, configurations, lambda _: sqs.wait())

        def work() -> int:
            batch = read_batch(records, new_prediction)
            stored = existing.among(batch.values)
            assert key_entries.enter(stored) == RECORDS
            return archive.write_predictions(batch.name, stored)

        seconds = seconds_a_record(work, memory_of(template, name), s3, sqs, heads_read, keys)
        assert s3.calls == RECORDS
        assert heads_read.calls == RECORDS / MAX_BATCH_GET
        # Two entries a record, and for each the question whether feedback waits, which it does.
        assert keys.calls == 2 * RECORDS + 2 * RECORDS / MAX_BATCH_WRITE
        assert sqs.calls == RECORDS / MAX_BATCH_GET
        return seconds

    worst, _ = WORST_SECONDS[name]
    assert steady_seconds(measure, worst) <= worst <= SLACK * measure()


def test_label_is_archived_within_the_time_of_the_rule(template: dict[str, Any], predictions: list[Prediction]) -> None:
    records = event(map(label_image, predictions))
    heads, name = heads_of(predictions), "ArchiveLabelsFunction"

    def measure() -> float:
        s3, dynamodb = SleepingService(S3_SECONDS), SleepingService(DYNAMODB_SECONDS)
        archive = Archive(S3Lake("lake", s3.client("s3")))
        client = dynamodb.client("dynamodb", heads)
        store, new_labels = DynamoLabels("predictions", client), NewLabels(DynamoNewLabels("models", client))

        def work() -> int:
            batch = read_batch(records, label_change)
            return archive.write_labels(batch.name, batch.values, store, new_labels)

        seconds = seconds_a_record(work, memory_of(template, name), s3, dynamodb)
        assert s3.calls == RECORDS
        assert dynamodb.calls >= RECORDS
        return seconds

    worst, _ = WORST_SECONDS[name]
    assert steady_seconds(measure, worst) <= worst <= SLACK * measure()


def test_every_consumer_of_batches_is_bounded_or_watches_the_clock_and_no_other_function_is_listed() -> None:
    deployed = deployment()
    taking = {mapping["FunctionName"] for mapping in deployed.of("AWS::Lambda::EventSourceMapping").values()}
    names = {one for one in deployed.of("AWS::Lambda::Function") if deployed.resources[one]["Name"] in taking}
    assert WORST_SECONDS.keys() | WATCHES_THE_CLOCK.keys() == names
    assert not WORST_SECONDS.keys() & WATCHES_THE_CLOCK.keys()
    assert LEFT_FOR.keys() <= WORST_SECONDS.keys()


@pytest.mark.parametrize("name", sorted(WATCHES_THE_CLOCK | LEFT_FOR))
def test_function_that_watches_the_clock_passes_it_on(name: str, functions: dict[str, dict[str, Any]]) -> None:
    """Their own tests show what each does once time is over."""
    source = (TEMPLATE.parent / functions[name]["CodeUri"] / "app.py").read_text(encoding="utf-8")
    assert re.search(r"(time_left\(context, |queue_handler\()RESERVED_MILLISECONDS\)", source)
