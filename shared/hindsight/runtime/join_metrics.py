"""Join health as CloudWatch metrics, by model."""

from collections import Counter
from collections.abc import Mapping

from aws_lambda_powertools import Metrics

from hindsight.ingestion.imports import ImportRun
from hindsight.labels.joining.join import JoinCount, JoinReport
from hindsight.quarantine.rejects import RejectCode, RowKind
from hindsight.quarantine.replay_request import REPLAYED
from hindsight.runtime.counters import count

_NAMES = {
    JoinCount.JOINED: "FeedbackJoined",
    JoinCount.LATE: "FeedbackLate",
    JoinCount.PENDING: "FeedbackPending",
    JoinCount.DUPLICATE: "FeedbackDuplicate",
    JoinCount.CONFLICTING: "FeedbackConflicting",
    JoinCount.OUT_OF_WINDOW: "FeedbackOutOfWindow",
    JoinCount.IGNORED: "FeedbackIgnored",
    JoinCount.UNMATCHED: "FeedbackUnmatched",
    JoinCount.QUARANTINED: "FeedbackQuarantined",
    JoinCount.ERASED: "FeedbackErased",
    JoinCount.EXCLUDED_SOURCE: "FeedbackFromExcludedSource",
    JoinCount.TAKEN_OVER: "FeedbackTakenOver",
}


def publish(metrics: Metrics, report: JoinReport) -> None:
    """Write one metric record a model, and one a quarantine reason.

    Quarantined events are published once more over all models: an alarm watches one series and cannot search for any.
    """
    for model, counts in sorted(report.counts.items()):
        count(metrics, {name: counts[what] for what, name in _NAMES.items()}, Model=model)
    for model, reasons in sorted(report.quarantined.items()):
        publish_quarantined(metrics, model, reasons)
    count(metrics, {"FeedbackQuarantined": sum(map(Counter.total, report.quarantined.values()))})


def publish_quarantined(metrics: Metrics, model: str, reasons: Mapping[RejectCode, int]) -> None:
    """Write one metric record a reason for which something of a model went to quarantine."""
    for reason, number in sorted(reasons.items()):
        count(metrics, {_NAMES[JoinCount.QUARANTINED]: number}, Model=model, Reason=reason.value)


def publish_replayed(metrics: Metrics, model: str, counts: Mapping[str, int]) -> None:
    """Write how much of a model's quarantine a run took."""
    count(metrics, {"QuarantineReplayed": counts.get(REPLAYED, 0)}, Model=model)


def publish_imported(metrics: Metrics, run: ImportRun) -> None:
    """Write how much a run took of a file, and for which reasons lines of it went to quarantine."""
    counts = {"LinesImported": run.accepted, "LinesRefused": run.rejected.total()}
    count(metrics, counts, Model=run.model, Kind=run.kind.value)
    if run.kind is RowKind.FEEDBACK:
        publish_quarantined(metrics, run.model, run.rejected)
