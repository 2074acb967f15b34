"""Ask people about a version that passed the gate; the run waits (step of the retraining state machine)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import clients, retraining
from hindsight.rollout.approval.requests import ApprovalRequest

logger = Logger()
tracer = Tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Ask for an approval; answer until when the run waits. Its task token goes no further than the store."""
    approval = retraining.approval_requests().take(
        ApprovalRequest.from_event(event, clients.settings().client_timestamps)
    )
    logger.info("approval_requested", extra={"model": approval.model, "version": approval.version})
    return approval.to_json()
