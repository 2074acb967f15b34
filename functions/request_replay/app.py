"""Take an operator's request to replay a quarantine (POST /v1/models/{model}/quarantine/replay)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import quarantine_name, read_json, requested_at
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

logger = Logger()
tracer = Tracer()
api = create_api()


@api.post("/models/<model>/quarantine/replay")
def request_replay(model: str) -> Response[str]:
    """Begin the replay the body asks for."""
    event = api.current_event
    job = labelling.replay_requests().take(
        quarantine_name(model),
        read_json(event, max_bytes=MAX_REQUEST_BYTES),
        now=requested_at(event),
        request_id=event.request_context.request_id or "",
    )
    return answer(202, {"replay_id": job.job_id, "status": job.status.value})


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)
