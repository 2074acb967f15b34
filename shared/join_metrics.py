"""Join health as CloudWatch metrics, by model."""

from collections.abc import Mapping

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from shared.labels.join import Joined, JoinReport
from shared.labels.rejects import RejectCode

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
    """Write one metric record a model, zeros too, so that a rate has its denominator; and one a quarantine reason."""
    for model, counts in sorted(report.counts.items()):
        metrics.add_dimension("model", model)
        for what, name in _NAMES.items():
            metrics.add_metric(name, MetricUnit.Count, counts[what])
        metrics.flush_metrics()
    for model, reasons in sorted(report.quarantined.items()):
        publish_quarantined(metrics, model, reasons)


def publish_quarantined(metrics: Metrics, model: str, reasons: Mapping[RejectCode, int]) -> None:
    """Write one metric record a reason for which something of a model went to quarantine."""
    for reason, number in sorted(reasons.items()):
        metrics.add_dimension("model", model)
        metrics.add_dimension("reason", reason.value)
        metrics.add_metric(_NAMES[Joined.QUARANTINED], MetricUnit.Count, number)
        metrics.flush_metrics()
