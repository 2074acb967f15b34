"""Point the model at a version that passed the gate (step of the retraining state machine)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import bootstrap
from shared.registry.deployment import deploy
from shared.registry.run import RetrainingRun
from shared.registry.version import VersionRecord
from shared.training.artifact import load_artifact

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Return the version now served and the one it replaced."""
    run = RetrainingRun.from_event(event)
    move = deploy(bootstrap.registry(), run, event["version"], require_loadable)
    logger.info("deployed", extra={"model": run.model, "version": move.to_version, "previous": move.from_version})
    return {"version": move.to_version, "previous": move.from_version}


def require_loadable(record: VersionRecord) -> None:
    """Raise UnusableArtifact for a version that cannot be served."""
    load_artifact(bootstrap.lake(), record.artifact_key, record.artifact_digest)
