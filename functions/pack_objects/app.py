"""Pack the small objects of the log and of label records (EventBridge schedule)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import stores
from hindsight.bootstrap.fan_out import one_invocation_a_model
from hindsight.lake.packer import Packer
from hindsight.runtime.counters import count
from hindsight.runtime.deadline import time_left
from hindsight.runtime.events.schedules import parse_scheduled_event
from hindsight.runtime.handler import event_handler, logger, metrics

# Enough to write and read back the pack in hand.
RESERVED_MILLISECONDS = 60_000


@event_handler
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
