import base64
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from functions.archive_predictions.app import handler
from tests.functions.conftest import Context
from tests.functions.labelling import FIRST, SECOND, rows

pytestmark = pytest.mark.usefixtures("deployed")
Sample = Callable[[str], dict[str, Any]]


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


def test_stubs_feedback_labels_and_deletions_are_no_predictions(sample: Sample, context: Context) -> None:
    event = sample("archive_labels")
    stub = sample("archive_predictions")["Records"][1]
    stub["dynamodb"]["NewImage"] = stub["dynamodb"].pop("OldImage")
    deleted = sample("archive_predictions")["Records"][0]
    deleted["eventName"] = "REMOVE"
    del deleted["dynamodb"]["NewImage"]
    event["Records"] += [stub, deleted]

    assert handler(event, context) == {"batchItemFailures": []}
    assert rows("predictions/") == []


def test_a_record_that_cannot_be_read_is_where_lambda_goes_on(sample: Sample, context: Context) -> None:
    event = sample("archive_predictions")
    event["Records"][0]["dynamodb"]["NewImage"]["features"] = {"B": "???"}

    answer = handler(event, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "111700000000012345678901"}]}
    assert rows("predictions/") == []
