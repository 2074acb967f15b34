"""Measure drift and live performance of every serving version (EventBridge schedule)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import bootstrap
from shared.monitoring.live_performance import FallWatch
from shared.monitoring.model_checks import ModelChecks
from shared.monitoring.monitor import Monitor
from shared.monitoring.verdict_changes import VerdictAnnouncer
from shared.schedule import parse_tick

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Check the models at the event's time; return what was found."""
    monitor = Monitor(
        configurations=bootstrap.configurations(),
        model_checks=ModelChecks(bootstrap.registry(), bootstrap.lake(), FallWatch(bootstrap.fall_tests())),
        lake=bootstrap.lake(),
        checks=bootstrap.check_store(),
        announcer=VerdictAnnouncer(bootstrap.check_store(), bootstrap.announcements()),
        sink=bootstrap.metric_sink(),
    )
    checks = [
        {"model": check.model, "kind": check.kind, "verdict": check.verdict, "reason": check.reason}
        for check in monitor.run(parse_tick(event))
    ]
    logger.info("monitored", extra={"checks": checks})
    return {"checks": checks}
