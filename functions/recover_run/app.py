"""End a retraining run whose execution could not (EventBridge: executions that failed, timed out or were stopped)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining
from hindsight.runtime.counters import count
from hindsight.triggers.runs.recovery import parse_dead_execution

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Return how the run ended, if that was left for this function to say."""
    dead = parse_dead_execution(event)
    outcome = retraining.run_recovery().recover(dead)
    logger.info("looked after", extra={"model": dead.run.model, "ended": dead.ended, "outcome": outcome})
    count(metrics, {"RunsRecovered": int(outcome is not None)})
    return {"outcome": outcome}
