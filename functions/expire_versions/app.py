"""Let go of old versions and datasets (EventBridge schedule)."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining
from hindsight.bootstrap.deadline import time_left
from hindsight.bootstrap.fan_out import one_invocation_a_model
from hindsight.core.schedule import parse_scheduled_event
from hindsight.runtime.counters import count

# Enough for the object in hand.
RESERVED_MILLISECONDS = 10_000

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@one_invocation_a_model()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Expire a model's versions and datasets; one that is not ``is_complete`` goes on the next day."""
    scheduled = parse_scheduled_event(event)
    report = retraining.version_expiry().sweep(
        scheduled.model, scheduled.now, time_left(context, RESERVED_MILLISECONDS)
    )
    logger.info("expired", extra=asdict(report))
    count(metrics, {"VersionsExpired": report.versions, "DatasetsExpired": report.datasets})
    return asdict(report)
