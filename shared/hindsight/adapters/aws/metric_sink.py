"""Measurements to CloudWatch by PutMetricData.

Not by embedded metrics in the log: an alarm must see them at once, and local emulators read no logs for metrics.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hindsight.core.batches import chunks
from hindsight.monitoring.results.measurement import Measurement

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef

_MAX_MEASUREMENTS = 1000


class CloudWatchMetrics:
    """Metrics of one namespace; see ``hindsight.monitoring.results.measurement.MetricSink``."""

    def __init__(self, namespace: str, client: "CloudWatchClient") -> None:
        self._namespace = namespace
        self._client = client

    def publish(self, measurements: Sequence[Measurement]) -> None:
        """Publish all measurements, as many a call as CloudWatch takes.

        They carry no time: a replay's is years away, and CloudWatch refuses data older than two weeks.
        The call takes all of its data or raises.
        """
        for chunk in chunks(measurements, _MAX_MEASUREMENTS):
            self._client.put_metric_data(Namespace=self._namespace, MetricData=[_datum(found) for found in chunk])


def _datum(measurement: Measurement) -> "MetricDatumTypeDef":
    dimensions = [{"Name": name, "Value": value} for name, value in sorted(measurement.dimensions.items())]
    return {
        "MetricName": measurement.name,
        "Value": measurement.value,
        "Unit": measurement.unit,
        "Dimensions": dimensions,  # type: ignore[typeddict-item]
    }
