"""Close the windows of labels, apply defaults, time out pending feedback (schedule)."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling
from hindsight.bootstrap.fan_out import one_invocation_a_model, share_out
from hindsight.labels.joining.window_closing import SWEEPS
from hindsight.labels.store import ALL, Share
from hindsight.runtime import join_metrics
from hindsight.runtime.deadline import time_left
from hindsight.runtime.events.schedules import parse_scheduled_event
from hindsight.runtime.handler import event_handler, metrics

# Enough for the page of predictions in hand.
RESERVED_MILLISECONDS = 15_000


@event_handler
@one_invocation_a_model()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Close a model's windows that are due at the scheduled time; ``is_complete`` once all of them are."""
    scheduled = parse_scheduled_event(event)
    model = scheduled.model
    report = labelling.window_closing().sweep(
        model,
        scheduled.now,
        time_left(context, RESERVED_MILLISECONDS),
        ALL if scheduled.share is None else Share(scheduled.share, SWEEPS),
        None if scheduled.share is not None else lambda: share_out(event, model, SWEEPS, context.function_name),
    )
    if scheduled.share is None:
        has_time = time_left(context, RESERVED_MILLISECONDS)
        report.joins.merge(labelling.feedback_joiner().time_out(model, scheduled.now, has_time))
    join_metrics.publish(metrics, report.joins)
    if not report.is_complete and not report.is_shared_out:
        # Missing data is no lag: only a sweep that left labels writes a data point.
        metrics.add_metric("LabelFinalizationLag", MetricUnit.Seconds, report.lag.total_seconds())
        metrics.flush_metrics()
    return {"examined": report.examined, "is_complete": report.is_complete}
