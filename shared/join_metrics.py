"""Join health as CloudWatch metrics, by model."""

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from shared.labels.join import Joined, JoinReport

_NAMES = {
    Joined.JOINED: "FeedbackJoined",
    Joined.LATE: "FeedbackLate",
    Joined.EARLY: "FeedbackEarly",
    Joined.DUPLICATE: "FeedbackDuplicate",
    Joined.CONFLICTING: "FeedbackConflicting",
    Joined.OUT_OF_WINDOW: "FeedbackOutOfWindow",
    Joined.IGNORED: "FeedbackIgnored",
    Joined.UNMATCHED: "FeedbackUnmatched",
    Joined.QUARANTINED: "FeedbackQuarantined",
    Joined.LABELS: "LabelsChanged",
}


def publish(metrics: Metrics, report: JoinReport) -> None:
    """Write one metric record a model; zeros too, so that a rate has its denominator."""
    for model, counts in sorted(report.counts.items()):
        metrics.add_dimension("model", model)
        for what, name in _NAMES.items():
            metrics.add_metric(name, MetricUnit.Count, counts[what])
        metrics.flush_metrics()
