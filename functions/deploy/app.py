"""Point the model at a version that passed the gate (step of the retraining state machine)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import bootstrap
from shared.registry.deployment import deploy, strategy_of
from shared.registry.run import RetrainingRun
from shared.registry.version import VersionRecord
from shared.times import parse_time
from shared.training.artifact import load_artifact

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Return the version, how it was put into service, and what served before."""
    run = RetrainingRun.from_event(event)
    deployment = bootstrap.configurations().current(run.model).configuration.deployment
    # A person may have taken days: the version serves from then on, not from the moment of its snapshot.
    at = max(run.as_of, parse_time(event.get("approved_at", event["as_of"])))
    move = deploy(bootstrap.registry(), run, event["version"], deployment, require_loadable, at=at)
    strategy = strategy_of(move).value
    logger.info("deployed", extra={"model": run.model, "version": event["version"], "strategy": strategy})
    return {"version": event["version"], "previous": move.from_version, "strategy": strategy}


def require_loadable(record: VersionRecord) -> None:
    """Raise UnusableArtifact for a version that cannot be served."""
    load_artifact(bootstrap.lake(), record.artifact_key, record.artifact_digest)
