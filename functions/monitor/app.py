"""Measure drift and live performance of every serving version (EventBridge schedule)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.bootstrap import stores
from shared.monitoring.estimates.estimator import Estimator, LossPredictor
from shared.monitoring.model_checks import ModelChecks
from shared.monitoring.monitor import Monitor
from shared.monitoring.performance.live_performance import FallWatch
from shared.monitoring.verdict_changes import VerdictAnnouncer
from shared.reporting.status import LINKS_LAST
from shared.schedule import parse_tick
from shared.training.estimator_files import load_estimator

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Check the models at the event's time; return what was found."""
    monitor = Monitor(
        configurations=stores.configurations(),
        model_checks=ModelChecks(
            stores.registry(), stores.lake(), FallWatch(stores.fall_tests()), estimators_of_versions
        ),
        lake=stores.lake(),
        checks=stores.check_store(),
        announcer=VerdictAnnouncer(stores.check_store(), stores.announcements(), page_link),
        sink=stores.metric_sink(),
    )
    checks = [
        {"model": check.model, "kind": check.kind, "verdict": check.verdict, "reason": check.reason}
        for check in monitor.run(parse_tick(event))
    ]
    logger.info("monitored", extra={"checks": checks})
    return {"checks": checks}


def page_link(key: str) -> str:
    """Return an address at which a check's page can be read for an hour."""
    return stores.lake().link(key, LINKS_LAST)


def estimators_of_versions(model: str, version: str) -> tuple[Estimator | None, LossPredictor | None]:
    """Return what estimates a version's performance, as its training left it in the lake."""
    fitted = load_estimator(stores.lake(), model, version)
    return (None, None) if fitted is None else (fitted.estimator, fitted.loss_model)
