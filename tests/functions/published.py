"""The numbers that the functions published, as CloudWatch has them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3


def metric(name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Read the largest number of a metric in each set of its dimensions."""
    client: Any = boto3.client("cloudwatch")
    now = datetime.now(UTC)
    found = {}
    for known in client.list_metrics(Namespace="Hindsight", MetricName=name)["Metrics"]:
        points = client.get_metric_statistics(
            Namespace="Hindsight",
            MetricName=name,
            Dimensions=known["Dimensions"],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1),
            Period=7200,
            Statistics=["Maximum"],
        )["Datapoints"]
        key = tuple((dimension["Name"], dimension["Value"]) for dimension in known["Dimensions"])
        found[key] = points[0]["Maximum"]
    return found
