"""Take an operator's request to retrain through the same decision (POST /v1/models/{model}/retrain)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import model_name, read_json, requested_at
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

logger = Logger()
tracer = Tracer()
api = create_api()


@api.post("/models/<model>/retrain")
def request_retraining(model: str) -> Response[str]:
    """Decide on the request in the body."""
    event = api.current_event
    decision = retraining.retraining_requests().take(
        model_name(model),
        read_json(event, max_bytes=MAX_REQUEST_BYTES),
        now=requested_at(event),
        request_id=event.request_context.request_id or "",
        requested_by="operator",
    )
    plain = decision.to_plain()
    return answer(202, {name: plain[name] for name in ("decision_id", "triggered", "blocked_by", "explanation")})


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)
