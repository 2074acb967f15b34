"""Release a run's lock and record its result: the last step of its state machine, or an execution that failed."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining, stores
from hindsight.runs.run import RetrainingRun
from hindsight.runtime.counters import count
from hindsight.runtime.events.executions import is_status_change, parse_failed_execution
from hindsight.runtime.handler import event_handler, logger, metrics
from hindsight.triggers.runs.result import COUNTED_AS, announced_result, result_of


@event_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Finalize the run of a state machine's step, or of an EventBridge event about its execution."""
    return recover(event) if is_status_change(event) else finalize(event)


def finalize(event: dict[str, Any]) -> dict[str, Any]:
    """Record the run's result; a repeated call, or one of a run long replaced, changes nothing."""
    run = RetrainingRun.from_event(event)
    result = result_of(stores.registry(), run, event)
    finalized = stores.trigger_store().finalize_run(run.model, run.fencing_token, result)
    outcome = result.outcome.value
    logger.info("run_finalized", extra={"model": run.model, "outcome": outcome, "finalized": finalized})
    count(metrics, {COUNTED_AS[result.outcome]: int(finalized)}, Model=run.model)
    return {"outcome": outcome, "finalized": finalized, "result": announced_result(result)}


def recover(event: dict[str, Any]) -> dict[str, Any]:
    """Finalize the run of an execution that failed, timed out or was stopped; return its outcome then."""
    execution = parse_failed_execution(event)
    outcome = retraining.run_recovery().recover(execution)
    logger.info("run_recovered", extra={"model": execution.run.model, "ended": execution.ended, "outcome": outcome})
    count(metrics, {"RunsRecovered": int(outcome is not None)})
    return {"outcome": outcome}
