"""Point the model at a version that passed the gate (step of the retraining state machine)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining, stores
from hindsight.core.times import parse_time
from hindsight.rollout.deployment import VersionApproval, deploy, strategy_of
from hindsight.runs.run import RetrainingRun
from hindsight.runtime.handler import event_handler, logger


@event_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Deploy the version of a run; answer with its strategy and the champion before."""
    run = RetrainingRun.from_event(event)
    deployment = stores.configurations().current(run.model).configuration.deployment
    made = deploy(
        stores.registry(),
        run,
        event["version"],
        deployment,
        retraining.require_loadable,
        at=run.moment(event.get("entered_at"), stores.client_timestamps()),
        approved=approval_of(event),
    )
    strategy = strategy_of(made).value
    logger.info("version_deployed", extra={"model": run.model, "version": event["version"], "strategy": strategy})
    return {"version": event["version"], "previous": made.from_version, "strategy": strategy}


def approval_of(event: dict[str, Any]) -> VersionApproval | None:
    """Read the approval of the version, None where none was asked for."""
    answer = event.get("approval")
    return (
        None
        if answer is None
        else VersionApproval(actor=answer["actor"], at=parse_time(answer["at"]), reason=answer["reason"])
    )
