"""Pack the small objects of the log and of label records (EventBridge schedule)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import stores
from hindsight.bootstrap.deadline import time_left
from hindsight.bootstrap.fan_out import one_invocation_a_model
from hindsight.core.schedule import parse_scheduled_event
from hindsight.lake.packer import Packer
from hindsight.runtime.counters import count

# Enough to write and read back the pack in hand.
RESERVED_MILLISECONDS = 60_000

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@one_invocation_a_model()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Pack as of the scheduled time; ``is_complete`` if time sufficed for all days."""
    scheduled = parse_scheduled_event(event)
    packer = Packer(stores.lake())
    report = packer.sweep(scheduled.model, scheduled.now, time_left(context, RESERVED_MILLISECONDS))
    count(metrics, {"ObjectsUnreadable": len(report.unreadable)})
    if report.unreadable:
        logger.warning("unreadable_objects_left", extra={"keys": report.unreadable[:20]})
    packed = {"objects": report.objects, "packs": report.packs, "is_complete": report.is_complete}
    logger.info("objects_packed", extra=packed)
    return {**packed, "unreadable": len(report.unreadable)}
