"""Close review tasks that nobody came to, and send annotations that a crash left unsent (EventBridge schedule)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.bootstrap import labelling
from shared.bootstrap.fan_out import one_invocation_a_model
from shared.counters import count
from shared.schedule import parse_tick

# Enough for the page of tasks in hand.
RESERVED_MILLISECONDS = 15_000

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@one_invocation_a_model()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Tend a model's tasks as of the scheduled time; ``is_complete`` tells whether time sufficed for all of them."""
    tick = parse_tick(event)
    report = labelling.review_tending().sweep(
        tick.model, tick.now, lambda: context.get_remaining_time_in_millis() > RESERVED_MILLISECONDS
    )
    count(metrics, {"ReviewsExpired": report.closed, "AnnotationsResent": report.sent})
    return {"closed": report.closed, "sent": report.sent, "is_complete": report.is_complete}
