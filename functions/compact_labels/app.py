"""Compact the settled days of the lake's label records (EventBridge schedule)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import stores
from hindsight.bootstrap.fan_out import one_invocation_a_model
from hindsight.datasets.building.compaction import Compaction
from hindsight.runtime.counters import count
from hindsight.runtime.deadline import time_left
from hindsight.runtime.events.schedules import parse_scheduled_event
from hindsight.runtime.handler import event_handler, logger, metrics

# Enough to read, write and read back the file in hand.
RESERVED_MILLISECONDS = 120_000


@event_handler
@one_invocation_a_model()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compact as of the scheduled time; ``is_complete`` if time sufficed for all days."""
    scheduled = parse_scheduled_event(event)
    compaction = Compaction(stores.lake(), stores.configurations())
    report = compaction.sweep(scheduled.model, scheduled.now, time_left(context, RESERVED_MILLISECONDS))
    count(metrics, {"ObjectsCompacted": report.objects, "ObjectsUnreadable": len(report.unreadable)})
    if report.unreadable:
        logger.warning("unreadable_objects_left", extra={"keys": report.unreadable[:20]})
    return {
        "objects": report.objects,
        "records": report.records,
        "files": report.files,
        "unreadable": len(report.unreadable),
        "is_complete": report.is_complete,
    }
