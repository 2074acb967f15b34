"""Decide canaries and shadows, end probations and roll back, on matured labels (EventBridge schedule)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining
from hindsight.bootstrap.fan_out import one_invocation_a_model
from hindsight.runtime import counters
from hindsight.runtime.deadline import time_left
from hindsight.runtime.events.schedules import parse_scheduled_event
from hindsight.runtime.handler import event_handler, logger, metrics

# Enough to find the newest of three million records, and to evaluate and act.
RESERVED_MILLISECONDS = 120_000


@event_handler
@one_invocation_a_model()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Evaluate a model's rollout and probation at the event's time, and list the evaluations."""
    # The invocation that starts the others does not need these imports of numpy.
    from hindsight.rollout.evaluation.rollout_evaluation import EvaluationFailed  # noqa: PLC0415

    scheduled = parse_scheduled_event(event)
    try:
        evaluations = retraining.rollout_evaluation().run(
            scheduled.model, scheduled.now, time_left(context, RESERVED_MILLISECONDS)
        )
    except EvaluationFailed as error:
        # Counted now: its decisions have taken effect, and a retry of the event does not repeat them.
        count(error.evaluations)
        raise
    count(evaluations)
    return {"evaluations": evaluations}


def count(evaluations: list[dict[str, Any]]) -> None:
    """Log the evaluations, and count the versions that were rolled back or aborted."""
    from hindsight.rollout.evaluation.verdict import Outcome  # noqa: PLC0415

    rolled_back = sum(found["verdict"] == Outcome.ROLL_BACK for found in evaluations)
    counters.count(metrics, {"VersionsRolledBack": rolled_back})
    logger.info("rollout_evaluated", extra={"evaluations": evaluations})
