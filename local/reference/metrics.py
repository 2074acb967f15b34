"""The definitions of the CloudWatch metrics that the functions publish: each with its unit, dimensions and meaning."""

from dataclasses import dataclass

from local.pages import table

# Of every model, of one reason, kind or version of it, or over all models together.
ALL: tuple[str, ...] = ()
MODEL = ("Model",)
VERSION = ("Model", "ModelVersion")
COUNT, SECONDS, NONE = "Count", "Seconds", "None"


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One metric; published once for each set of ``dimensions``."""

    name: str
    meaning: str
    dimensions: tuple[tuple[str, ...], ...] = (MODEL,)
    unit: str = COUNT


_M = MetricDefinition
METRICS: dict[str, tuple[MetricDefinition, ...]] = {
    "Serving": (
        _M("Predictions", "predictions that `predict` answered", (VERSION,)),
        _M("PredictionsAccepted", "predictions made elsewhere that were logged"),
        _M("PredictionsRejected", "predictions made elsewhere that were refused"),
        _M("FeedbackAccepted", "events that were captured"),
        _M("FeedbackRejected", "events that were refused"),
        _M("UnusableVersions", "serving versions that could not be loaded; another answered", (ALL,)),
    ),
    "Labels": (
        _M("FeedbackJoined", "events that joined their prediction"),
        _M("FeedbackPending", "events that wait for their prediction"),
        _M("FeedbackLate", "events received after their window closed; they amend the label"),
        _M("FeedbackOutOfWindow", "events that occurred outside their window; they change nothing"),
        _M("FeedbackDuplicate", "events delivered before, alike"),
        _M("FeedbackConflicting", "events whose id came before with another content"),
        _M("FeedbackIgnored", "events that no rule reads"),
        _M("FeedbackErased", "events on predictions that were erased"),
        _M("FeedbackFromExcludedSource", "events of an excluded source"),
        _M("FeedbackTakenOver", "events by entity or reference that a later prediction took from an earlier one"),
        _M("FeedbackUnmatched", "events whose prediction did not come within seven days"),
        _M("FeedbackQuarantined", "events kept in quarantine", (MODEL, ("Model", "Reason"), ALL)),
        _M("LabelFinalizationLag", "how long the oldest due label has waited to be closed", (ALL,), SECONDS),
        _M("LabelLatencyP90", "from a prediction to its newest label, nine tenths are faster", (MODEL,), SECONDS),
        _M("LabelFreshnessSeconds", "for how long no feedback came while some is due", (MODEL, ALL), SECONDS),
        _M("LabelsRelabelled", "labels that a relabelling changed"),
    ),
    "Checks": (
        _M("DriftingFeatureShare", "the share of the features that drift, by their weights", (VERSION,), NONE),
        _M("SuspectFeatureShare", "the same of those that are suspect; they ring no alarm", (VERSION,), NONE),
        _M("DriftDetected", "1 where the inputs drift", (MODEL, VERSION, ALL), NONE),
        _M("LivePerformance", "the monitored metric on labels that are due", (VERSION,), NONE),
        _M("LivePerformanceShortfall", "how far it is beyond its limit", (MODEL, VERSION, ALL), NONE),
        _M("EstimatedPerformance", "the monitored metric, estimated before labels come", (VERSION,), NONE),
        _M("EstimatedPerformanceShortfall", "how far the estimate is beyond the limit", (MODEL, VERSION), NONE),
        _M("SuspectVerdicts", "checks whose finding may be chance", (("Model", "Check"),)),
    ),
    "Retraining": (
        _M("RetrainingsTriggered", "decisions that started a run", (ALL,)),
        _M("RetrainingsBlocked", "decisions that something blocked although a signal was active", (ALL,)),
        _M("RunsPromoted", "runs whose version took over at once"),
        _M("RunsCanary", "runs whose version began a canary"),
        _M("RunsShadow", "runs whose version began a shadow"),
        _M("RunsRejected", "runs whose version the gate, or a person, rejected"),
        _M("RunsSkipped", "runs whose dataset was not worth training on"),
        _M("RunsFailed", "runs that failed; their signals are pending again"),
        _M("RunsRecovered", "runs finalized after their execution failed, timed out or was stopped", (ALL,)),
    ),
    "Versions": (
        _M("Rollbacks", "rollbacks by a person"),
        _M("VersionsRolledBack", "versions that were worse in service, and rolled back", (ALL,)),
        _M("VersionsExpired", "versions that reached their retention", (ALL,)),
        _M("DatasetsExpired", "datasets that reached their retention", (ALL,)),
    ),
    "Review": (
        _M("ReviewsLeased", "tasks handed out", (ALL,)),
        _M("ReviewsAnswered", "answers taken", (ALL,)),
        _M("ReviewsRejected", "answers refused", (ALL,)),
        _M("ReviewsExpired", "tasks without an answer in time", (ALL,)),
        _M("AnnotationsRepublished", "annotations sent again, since their first sending was not certain", (ALL,)),
    ),
    "Data": (
        _M("LinesImported", "lines of import files that were taken", (("Model", "Kind"),)),
        _M("LinesRefused", "lines of import files that were refused", (("Model", "Kind"),)),
        _M("QuarantineReplayed", "items of the quarantine that were sent again"),
        _M("ObjectsCompacted", "small objects of labels that were merged", (ALL,)),
        _M("ObjectsUnreadable", "objects of the lake that could not be read", (ALL,)),
    ),
}


def metrics_page() -> str:
    """Write a table for each group of metrics."""
    head = ("metric", "unit", "by", "meaning")
    return "\n\n".join(f"## {group}\n\n{table(head, map(_row, metrics))}" for group, metrics in METRICS.items())


def _row(metric: MetricDefinition) -> tuple[str, ...]:
    by = "; ".join(", ".join(f"`{name}`" for name in names) or "all models" for names in metric.dimensions)
    return f"`{metric.name}`", metric.unit, by, metric.meaning
