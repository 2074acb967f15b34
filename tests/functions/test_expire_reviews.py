"""The clock's part of reviews through the handler."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest

from functions.expire_reviews.app import handler
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.bootstrap import stores
from hindsight.review.tasks.resolution import resolve_task
from hindsight.review.tasks.task import TaskState
from hindsight.review.tasks.transitions import answered
from tests.functions.conftest import Context
from tests.unit.labels.builders import ANNOTATION, NOON, RETENTION, key, prediction
from tests.unit.review.builders import configuration, minutes, said, sample

Sample = Callable[[str], dict[str, Any]]
NAMES = ("old", "young", "resolved")


@dataclass(frozen=True)
class Hurried(Context):
    def get_remaining_time_in_millis(self) -> int:
        return 1


@pytest.fixture(autouse=True)
def queue(deployed: None) -> None:
    """One task to close, one to leave, and one whose annotation a crash left unsent."""
    configured = configuration(ANNOTATION)
    stores.configurations().put(configured, NOON)
    DynamoPredictions("predictions", boto3.client("dynamodb")).save([prediction(name) for name in NAMES], RETENTION)
    tasks = stores.review_tasks()
    tasks.add([sample("old"), sample("young", 5), sample("resolved", 5)], configured)
    [held] = tasks.load([key("resolved")]).values()
    held = answered(replace(held, leases={"ann": minutes(9)}), said("ann", 1, 6))
    tasks.save([resolve_task(held, configured.labels.rules[0], configured.task, prediction())])
    client: Any = boto3.client("firehose")
    destination = {"RoleARN": "arn:aws:iam::123456789012:role/write", "BucketARN": "arn:aws:s3:::lake"}
    client.create_delivery_stream(
        DeliveryStreamName="feedback", ExtendedS3DestinationConfiguration={**destination, "Prefix": "feedback/"}
    )


def states() -> dict[str, TaskState]:
    found = stores.review_tasks().load([key(name) for name in NAMES])
    return {task.task_id: task.state for task in found.values()}


def test_sample_expires_tasks_and_sends_unsent_feedback(sample: Sample, context: Context) -> None:
    assert handler(sample("expire_reviews"), context) == {"closed": 1, "sent": 1, "is_complete": True}

    assert states() == {"old": TaskState.EXPIRED, "young": TaskState.OPEN, "resolved": TaskState.RESOLVED}
    lake = stores.lake()
    [row] = [row for found in lake.keys("feedback/") for row in lake.read_lines(found)]
    assert (row["feedback_id"], row["received_at"]) == ("review:resolved", "2026-03-01T12:06:00.000000Z")


def test_a_second_sweep_finds_nothing_to_do(sample: Sample, context: Context) -> None:
    handler(sample("expire_reviews"), context)
    assert handler(sample("expire_reviews"), context) == {"closed": 0, "sent": 0, "is_complete": True}


def test_out_of_time_nothing_is_begun(sample: Sample) -> None:
    assert handler(sample("expire_reviews"), Hurried()) == {"closed": 0, "sent": 0, "is_complete": False}
