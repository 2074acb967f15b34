"""Ask another trainer for a version of a run's dataset; the run waits (step of the retraining state machine)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining, stores
from hindsight.rollout.external.training_requests import VersionRequest
from hindsight.runtime.handler import event_handler, logger


@event_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Ask for a version; answer until when the run waits. Its task token goes no further than the store."""
    request = retraining.training_requests().take(VersionRequest.from_event(event, stores.client_timestamps()))
    logger.info("version_requested", extra={"model": request.model, "dataset_id": request.dataset_id})
    return request.to_json()
