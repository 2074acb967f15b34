"""Release the run's lock and record its result (last step of the retraining state machine, on every path)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import stores
from hindsight.runs.run import RetrainingRun
from hindsight.runtime.counters import count
from hindsight.triggers.runs.result import COUNTED_AS, announced_result, result_of

logger = Logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Finalize the run; a repeated call, or one of a run long replaced, changes nothing."""
    run = RetrainingRun.from_event(event)
    result = result_of(stores.registry(), run, event)
    finalized = stores.trigger_store().finalize_run(run.model, run.fencing_token, result)
    outcome = result.outcome.value
    logger.info("run_finalized", extra={"model": run.model, "outcome": outcome, "finalized": finalized})
    count(metrics, {COUNTED_AS[result.outcome]: int(finalized)}, model=run.model)
    return {"outcome": outcome, "finalized": finalized, "result": announced_result(result)}
