from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.archive_labels.app import handler
from hindsight.bootstrap import stores
from hindsight.core.codec import from_plain
from hindsight.entities.label_row import LabelRow
from hindsight.labels.archiving.new_labels import NewLabels
from tests.functions.conftest import Context
from tests.functions.labelling import FIRST, SECOND, predict, rows
from tests.unit.labels.builders import MODEL, prediction

pytestmark = pytest.mark.usefixtures("deployed")
Sample = Callable[[str], dict[str, Any]]


def test_the_sample_becomes_label_rows_with_their_features(sample: Sample, context: Context) -> None:
    predict(FIRST, SECOND)

    assert handler(sample("archive_labels"), context) == {"batchItemFailures": []}

    first, second = (from_plain(LabelRow, row) for row in rows(f"labels/model={MODEL}/"))
    assert (first.prediction_id, first.value, second.value) == (FIRST, 1, 0)
    assert first.features == prediction().features


def test_a_record_that_cannot_be_read_is_where_lambda_goes_on(sample: Sample, context: Context) -> None:
    predict(FIRST, SECOND)
    event = sample("archive_labels")
    del event["Records"][1]["dynamodb"]["NewImage"]["known_at"]

    answer = handler(event, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "111700000000012345678912"}]}
    assert [row["prediction_id"] for row in rows("labels/")] == [FIRST]


def test_other_changes_of_the_table_are_no_label_rows(sample: Sample, context: Context) -> None:
    predict(FIRST)

    assert handler(sample("archive_predictions"), context) == {"batchItemFailures": []}
    assert rows("labels/") == []


def test_new_labels_are_noted_once_under_the_hour_the_table_took_them(sample: Sample, context: Context) -> None:
    predict(FIRST, SECOND)
    event = sample("archive_labels")
    for record in event["Records"]:
        record["dynamodb"]["NewImage"]["is_new"] = {"BOOL": True}
    redelivered = {"Records": event["Records"][1:]}

    for delivery in (event, redelivered, event):
        assert handler(delivery, context) == {"batchItemFailures": []}

    store = stores.new_label_store()
    assert {found.hour for found in store.arrivals(MODEL, None)} == {
        datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (17, 18)
    }
    due = prediction(FIRST).outcome_due_at
    span = {"since": due - timedelta(days=30), "as_of": due + timedelta(days=30), "window": timedelta(days=90)}
    assert NewLabels(store).count(MODEL, **span) == 2


def test_amendments_that_change_no_value_are_not_new(sample: Sample, context: Context) -> None:
    predict(FIRST, SECOND)
    handler(sample("archive_labels"), context)
    assert list(stores.new_label_store().arrivals(MODEL, None)) == []
