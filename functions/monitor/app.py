"""Measure drift and live performance of a model's serving version (EventBridge schedule)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import monitoring
from hindsight.bootstrap.fan_out import one_invocation_a_model
from hindsight.runtime.deadline import time_left
from hindsight.runtime.events.schedules import parse_scheduled_event
from hindsight.runtime.handler import event_handler, logger

# Enough to find the newest of three million records, and to make the checks.
RESERVED_MILLISECONDS = 120_000


@event_handler
@one_invocation_a_model()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Check a model at the event's time, and list the verdicts."""
    scheduled = parse_scheduled_event(event)
    has_time = time_left(context, RESERVED_MILLISECONDS)
    checks = [
        {"model": check.model, "kind": check.kind, "verdict": check.verdict, "reason": check.reason}
        for check in monitoring.monitor().run(scheduled.model, scheduled.now, has_time)
    ]
    # A reason may quote where the values of a feature lie.
    verdicts = {str(check["kind"]): check["verdict"] for check in checks}
    logger.info("model_monitored", extra={"model": scheduled.model, "verdicts": verdicts})
    return {"checks": checks}
