"""Close review tasks without answers, and send annotations that a crash left unsent (EventBridge schedule)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling
from hindsight.bootstrap.fan_out import one_invocation_a_model
from hindsight.runtime.counters import count
from hindsight.runtime.deadline import time_left
from hindsight.runtime.events.schedules import parse_scheduled_event
from hindsight.runtime.handler import event_handler, metrics

# Enough for the page of tasks in hand.
RESERVED_MILLISECONDS = 15_000


@event_handler
@one_invocation_a_model()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Expire a model's review tasks as of the scheduled time; ``is_complete`` if time sufficed for all of them."""
    scheduled = parse_scheduled_event(event)
    report = labelling.review_expiry().sweep(scheduled.model, scheduled.now, time_left(context, RESERVED_MILLISECONDS))
    count(metrics, {"ReviewsExpired": report.closed, "AnnotationsRepublished": report.sent})
    return {"closed": report.closed, "sent": report.sent, "is_complete": report.is_complete}
