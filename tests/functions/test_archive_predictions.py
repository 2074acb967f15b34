import base64
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from functions.archive_predictions.app import RESERVED_MILLISECONDS, handler
from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.subject_table import DynamoSubjectCollections
from hindsight.bootstrap import stores
from hindsight.core.errors import Unavailable
from hindsight.review.selection.sample import SampleReason
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.predictions.sampled_tasks import SampledTasks
from tests.functions.conftest import Context
from tests.functions.labelling import FIRST, SECOND, predict, rows

pytestmark = pytest.mark.usefixtures("deployed")
Sample = Callable[[str], dict[str, Any]]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def tasks(monkeypatch: pytest.MonkeyPatch, deployed: None) -> SampledTasks:
    """Keep sampled predictions in memory; the suites of the queue judge them."""
    sampled = SampledTasks()
    monkeypatch.setattr(stores, "review_tasks", lambda: sampled)
    return sampled


@pytest.fixture(autouse=True)
def predicted(deployed: None) -> None:
    """The sample's records are of long ago: its predictions are looked up."""
    predict(FIRST, SECOND)


def configure(**review: float) -> None:
    stores.configurations().put(configuration(review=review), NOON)


def erase(*names: str) -> None:
    collections = DynamoSubjectCollections("predictions", boto3.client("dynamodb"))
    for name in names:
        assert collections.erase("bike-demand", name, expires_at=4_000_000_000) == 1


def test_the_sample_archives_new_predictions_and_not_their_joins(sample: Sample, context: Context) -> None:
    assert handler(sample("archive_predictions"), context) == {"batchItemFailures": []}

    found = rows("predictions/model=bike-demand/date=2026-03-01/111700000000012345678901")
    assert [row["prediction_id"] for row in found] == [FIRST, SECOND]
    assert found[0]["features"] == {"hour": "17", "temperature": 0.34, "holiday": False}
    assert (found[0]["score"], found[0]["decision"], found[0]["outcome_due_at"][:10]) == (0.8125, 1, "2026-03-03")


def test_compressed_features_come_through_the_event(sample: Sample, context: Context) -> None:
    event = sample("archive_predictions")
    packed = base64.b64encode(zlib.compress(b'{"hour":"3"}')).decode()
    event["Records"][0]["dynamodb"]["NewImage"]["features"] = {"B": packed}

    handler(event, context)

    assert rows("predictions/")[0]["features"] == {"hour": "3"}


def test_placeholders_feedback_labels_and_deletions_are_no_predictions(sample: Sample, context: Context) -> None:
    event = sample("archive_labels")
    placeholder = sample("archive_predictions")["Records"][1]
    placeholder["dynamodb"]["NewImage"] = placeholder["dynamodb"].pop("OldImage")
    deleted = sample("archive_predictions")["Records"][0]
    deleted["eventName"] = "REMOVE"
    del deleted["dynamodb"]["NewImage"]
    event["Records"] += [placeholder, deleted]

    assert handler(event, context) == {"batchItemFailures": []}
    assert rows("predictions/") == []


def test_a_record_that_cannot_be_read_is_where_lambda_goes_on(sample: Sample, context: Context) -> None:
    event = sample("archive_predictions")
    event["Records"][0]["dynamodb"]["NewImage"]["features"] = {"B": "???"}

    answer = handler(event, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "111700000000012345678901"}]}
    assert rows("predictions/") == []


def test_record_delivered_late_does_not_bring_an_erased_prediction_back(
    sample: Sample, context: Context, tasks: SampledTasks, caplog: pytest.LogCaptureFixture
) -> None:
    configure(random_rate=1.0, uncertain_per_day=2)
    erase(FIRST)

    assert handler(sample("archive_predictions"), context) == {"batchItemFailures": []}

    assert [row["prediction_id"] for row in rows("predictions/")] == [SECOND]
    assert {key.prediction_id for key in tasks.sampled} == {SECOND}
    assert sum(stores.selection_store().load("bike-demand").days[0].hours) == 1
    [logged] = map(vars, caplog.records)
    assert (logged["predictions"], logged["erased_or_expired"]) == (1, 1)
    assert FIRST not in str(logged)


def test_late_batch_of_erased_predictions_alone_leaves_no_object(
    sample: Sample, context: Context, tasks: SampledTasks
) -> None:
    configure(random_rate=1.0)
    erase(FIRST, SECOND)

    assert handler(sample("archive_predictions"), context) == {"batchItemFailures": []}

    assert list(stores.lake().keys("")) == []
    assert not tasks.sampled


def test_record_delivered_in_time_is_archived_without_a_read_of_the_table(
    sample: Sample, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = sample("archive_predictions")
    for record in event["Records"]:
        record["dynamodb"]["ApproximateCreationDateTime"] = datetime.now(UTC).timestamp() - 60
    monkeypatch.setattr(DynamoLabels, "predictions", lambda *_: pytest.fail("the table was read"))

    handler(event, context)

    assert [row["prediction_id"] for row in rows("predictions/")] == [FIRST, SECOND]


def test_a_model_without_reviews_has_none_and_keeps_no_state(
    sample: Sample, context: Context, tasks: SampledTasks
) -> None:
    configure(random_rate=0, uncertain_per_day=0)

    handler(sample("archive_predictions"), context)

    assert tasks.sampled == {}
    assert stores.selection_store().load("bike-demand").version == 0


def test_with_reviews_the_day_s_budget_is_sampled_and_remembered(
    sample: Sample, context: Context, tasks: SampledTasks
) -> None:
    configure(random_rate=0, uncertain_per_day=1)

    assert handler(sample("archive_predictions"), context) == {"batchItemFailures": []}

    (sampled,) = tasks.sampled.values()
    assert sampled.key.prediction_id in {FIRST, SECOND}
    assert sampled.reason is SampleReason.UNCERTAIN
    assert 0 < sampled.selection_probability < 1
    state = stores.selection_store().load("bike-demand")
    assert (state.version, state.days[0].sampled) == (1, 1)
    assert sum(state.days[0].hours) == 2


def test_a_batch_delivered_again_is_not_sampled_from_again(
    sample: Sample, context: Context, tasks: SampledTasks
) -> None:
    configure(random_rate=0.5, uncertain_per_day=1)
    handler(sample("archive_predictions"), context)
    sampled, state = dict(tasks.sampled), stores.selection_store().load("bike-demand")

    handler(sample("archive_predictions"), context)

    assert tasks.sampled == sampled
    assert stores.selection_store().load("bike-demand") == state


def test_predictions_are_archived_even_if_the_queue_is_out_of_order(
    sample: Sample, context: Context, tasks: SampledTasks
) -> None:
    configure(random_rate=0, uncertain_per_day=2)
    tasks.calls_to_fail = 1

    with pytest.raises(Unavailable):
        handler(sample("archive_predictions"), context)
    assert len(rows("predictions/")) == 2

    assert handler(sample("archive_predictions"), context) == {"batchItemFailures": []}
    assert {key.prediction_id for key in tasks.sampled} == {FIRST, SECOND}


def test_batch_whose_time_is_over_is_archived_and_comes_again_for_its_draws(
    sample: Sample, context: Context, tasks: SampledTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(random_rate=1.0, uncertain_per_day=10)
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: RESERVED_MILLISECONDS)

    with pytest.raises(Unavailable):
        handler(sample("archive_predictions"), context)

    assert len(rows("predictions/")) == 2
    assert not tasks.sampled
