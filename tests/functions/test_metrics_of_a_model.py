"""Metrics that a model's loop publishes: CloudWatch bills each name with its dimensions."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from functions.capture_feedback.app import handler as capture_feedback
from functions.check_triggers.app import handler as check_triggers
from functions.close_windows.app import handler as close_windows
from functions.expire_reviews.app import handler as expire_reviews
from functions.join_labels.app import handler as join_labels
from functions.log_predictions.app import handler as log_predictions
from functions.monitor.app import handler as monitor
from tests.functions.conftest import Context
from tests.functions.labelling import outcome, write_feedback
from tests.functions.requests import send
from tests.functions.test_monitor import MODEL, serve

Sample = Callable[[str], dict[str, Any]]
Series = set[tuple[str, tuple[str, ...]]]

MOST = 20
# What a model in good health has, hour by hour.
IN_GOOD_HEALTH = {
    "PredictionsAccepted",
    "FeedbackAccepted",
    "FeedbackJoined",
    "DriftingFeatureShare",
    "LivePerformance",
    "EstimatedPerformance",
    "LabelLatencyP90",
    # The schedule asks for a run, and there are no new labels to make one of.
    "RetrainingsBlocked",
}


def embedded(output: str) -> Series:
    found: Series = set()
    for record in (json.loads(line) for line in output.splitlines() if line.startswith('{"_aws"')):
        for directive in record["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = tuple(f"{name}={record[name]}" for name in sorted(names))
                found |= {(metric["Name"], dimensions) for metric in directive["Metrics"]}
    return found


def put() -> Series:
    client: Any = boto3.client("cloudwatch")
    return {
        (known["MetricName"], tuple(f"{one['Name']}={one['Value']}" for one in known["Dimensions"]))
        for known in client.list_metrics(Namespace="Hindsight")["Metrics"]
    }


def loop(sample: Sample, context: Context, capsys: pytest.CaptureFixture[str], *, drifted: bool) -> Series:
    """Make every call and every check of a model once; return the series that have data."""
    serve(MODEL, temperature=0.4 if drifted else 0.0, accuracy=0.7 if drifted else 0.95)
    send(log_predictions, "log_predictions")
    send(capture_feedback, "capture_feedback")
    write_feedback(outcome("hour-4711", 120))
    join_labels(sample("join_labels"), context)
    for handler, name in (
        (close_windows, "close_windows"),
        (monitor, "monitor"),
        (check_triggers, "check_triggers"),
        (expire_reviews, "expire_reviews"),
    ):
        handler({**sample(name), "detail": json.dumps({"model": MODEL})}, context)
    return embedded(capsys.readouterr().out) | put()


@pytest.mark.usefixtures("feedback_stream", "executions")
def test_a_model_in_good_health_has_few_metrics_and_none_is_zero(
    sample: Sample, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    series = loop(sample, context, capsys, drifted=False)
    assert {name for name, _ in series} <= IN_GOOD_HEALTH, series
    assert len(series) <= len(IN_GOOD_HEALTH)


@pytest.mark.usefixtures("feedback_stream", "executions")
def test_a_model_in_trouble_has_at_most_twenty(
    sample: Sample, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    series = loop(sample, context, capsys, drifted=True)
    assert {"DriftDetected", "LivePerformanceShortfall"} <= {name for name, _ in series}
    assert len(series) <= MOST, series
