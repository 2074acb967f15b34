"""Release the run's lock and record how it ended (last step of the retraining state machine, on every path)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import stores
from hindsight.runs.run import RetrainingRun
from hindsight.runtime.counters import count
from hindsight.triggers.runs.result import conclusion_of, end_of

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Return whether this call ended the run: a repeated one, or one of a run long replaced, changes nothing."""
    run = RetrainingRun.from_event(event)
    conclusion = conclusion_of(stores.registry(), run, event)
    concluded = stores.trigger_store().conclude(run.model, run.fencing_token, conclusion)
    logger.info("concluded", extra={"model": run.model, "outcome": conclusion.outcome.value, "concluded": concluded})
    count(metrics, {f"Runs{conclusion.outcome.value.capitalize()}": int(concluded)}, model=run.model)
    return {"outcome": conclusion.outcome.value, "concluded": concluded, "end": end_of(conclusion)}
