"""Join health as CloudWatch metrics, by model."""

from collections import Counter
from collections.abc import Mapping

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from shared.capture.imports import ImportRun
from shared.labels.join import Joined, JoinReport
from shared.labels.quarantine import RowKind
from shared.labels.rejects import RejectCode
from shared.labels.replay_request import REPLAYED

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
    Joined.ERASED: "FeedbackErased",
    Joined.DISTRUSTED: "FeedbackDistrusted",
    Joined.LABELS: "LabelsChanged",
}


def publish(metrics: Metrics, report: JoinReport) -> None:
    """Write one metric record a model, zeros too, so that a rate has its denominator; and one a quarantine reason.

    What went to quarantine is told once more over all models: an alarm sees one series and can search for none.
    """
    for model, counts in sorted(report.counts.items()):
        metrics.add_dimension("model", model)
        for what, name in _NAMES.items():
            metrics.add_metric(name, MetricUnit.Count, counts[what])
        metrics.flush_metrics()
    for model, reasons in sorted(report.quarantined.items()):
        publish_quarantined(metrics, model, reasons)
    if report.quarantined:
        metrics.add_metric("FeedbackLost", MetricUnit.Count, sum(map(Counter.total, report.quarantined.values())))
        metrics.flush_metrics()


def publish_quarantined(metrics: Metrics, model: str, reasons: Mapping[RejectCode, int]) -> None:
    """Write one metric record a reason for which something of a model went to quarantine."""
    for reason, number in sorted(reasons.items()):
        metrics.add_dimension("model", model)
        metrics.add_dimension("reason", reason.value)
        metrics.add_metric(_NAMES[Joined.QUARANTINED], MetricUnit.Count, number)
        metrics.flush_metrics()


def publish_replayed(metrics: Metrics, model: str, counts: Mapping[str, int]) -> None:
    """Write how much of a model's quarantine a run took."""
    metrics.add_dimension("model", model)
    metrics.add_metric("QuarantineReplayed", MetricUnit.Count, counts.get(REPLAYED, 0))
    metrics.flush_metrics()


def publish_imported(metrics: Metrics, run: ImportRun) -> None:
    """Write how much a run took of a file, and for which reasons lines of it went to quarantine."""
    metrics.add_dimension("model", run.model)
    metrics.add_dimension("kind", run.kind.value)
    metrics.add_metric("LinesImported", MetricUnit.Count, run.accepted)
    metrics.add_metric("LinesRefused", MetricUnit.Count, run.rejected.total())
    metrics.flush_metrics()
    if run.kind is RowKind.FEEDBACK:
        publish_quarantined(metrics, run.model, run.rejected)
