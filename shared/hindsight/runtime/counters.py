"""Counters of the functions, as CloudWatch's embedded metrics in their logs."""

from collections.abc import Mapping

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit


def count(metrics: Metrics, counts: Mapping[str, int], **dimensions: str) -> None:
    """Write one metric record of the counters that are not zero, and none where all are.

    CloudWatch bills each name with its dimensions for every hour in which it has data: a zero would cost what a
    number costs, and no alarm of the stack needs it (missing data is not breaching).
    """
    counted = {name: number for name, number in counts.items() if number}
    if not counted:
        return
    for name, value in dimensions.items():
        metrics.add_dimension(name, value)
    for name, number in counted.items():
        metrics.add_metric(name, MetricUnit.Count, number)
    metrics.flush_metrics()
