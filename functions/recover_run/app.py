"""Recover a retraining run (EventBridge: executions that failed, timed out or were stopped)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining
from hindsight.runtime.counters import count
from hindsight.triggers.runs.recovery import parse_failed_execution

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Finalize the run if its execution could not; return its outcome then."""
    execution = parse_failed_execution(event)
    outcome = retraining.run_recovery().recover(execution)
    logger.info("run_recovered", extra={"model": execution.run.model, "ended": execution.ended, "outcome": outcome})
    count(metrics, {"RunsRecovered": int(outcome is not None)})
    return {"outcome": outcome}
