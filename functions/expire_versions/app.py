"""Expire old versions and datasets (EventBridge schedule)."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining
from hindsight.bootstrap.fan_out import one_invocation_a_model
from hindsight.runtime.counters import count
from hindsight.runtime.deadline import time_left
from hindsight.runtime.events.schedules import parse_scheduled_event
from hindsight.runtime.handler import event_handler, logger, metrics

# Enough for the object in hand.
RESERVED_MILLISECONDS = 10_000


@event_handler
@one_invocation_a_model(retired=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Expire a model's versions and datasets; one that is not ``is_complete`` goes on the next day."""
    scheduled = parse_scheduled_event(event)
    report = retraining.version_expiry().sweep(
        scheduled.model, scheduled.now, time_left(context, RESERVED_MILLISECONDS)
    )
    logger.info("versions_expired", extra=asdict(report))
    count(metrics, {"VersionsExpired": report.versions, "DatasetsExpired": report.datasets})
    return asdict(report)
