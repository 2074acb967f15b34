"""Ask people about a version that passed the gate; the run waits (step of the retraining state machine)."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining, stores
from hindsight.rollout.approval.requests import ApprovalRequest
from hindsight.runtime.handler import event_handler, logger


@event_handler
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Ask for an approval; answer until when the run waits. Its task token goes no further than the store."""
    approval = retraining.approval_requests().take(ApprovalRequest.from_event(event, stores.client_timestamps()))
    logger.info("approval_requested", extra={"model": approval.model, "version": approval.version})
    return approval.to_json()
