"""Close review tasks that nobody came to, and send annotations that a crash left unsent (EventBridge schedule)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling
from hindsight.bootstrap.deadline import time_left
from hindsight.bootstrap.fan_out import one_invocation_a_model
from hindsight.core.schedule import parse_scheduled_event
from hindsight.runtime.counters import count

# Enough for the page of tasks in hand.
RESERVED_MILLISECONDS = 15_000

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@one_invocation_a_model()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Expire a model's review tasks as of the scheduled time; ``is_complete`` if time sufficed for all of them."""
    scheduled = parse_scheduled_event(event)
    report = labelling.review_expiry().sweep(scheduled.model, scheduled.now, time_left(context, RESERVED_MILLISECONDS))
    count(metrics, {"ReviewsExpired": report.closed, "AnnotationsRepublished": report.sent})
    return {"closed": report.closed, "sent": report.sent, "is_complete": report.is_complete}
