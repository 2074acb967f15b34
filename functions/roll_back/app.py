"""Take the champion back to an earlier version (POST /v1/models/{model}/rollback)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining
from hindsight.runtime.counters import count
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import model_name, read_json, requested_at
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

logger = Logger()
metrics = Metrics()
tracer = Tracer()
api = create_api()


@api.post("/models/<model>/rollback")
def roll_back(model: str) -> Response[str]:
    """Do what the body asks for."""
    event = api.current_event
    name = model_name(model)
    move = retraining.rollbacks().take(
        name,
        read_json(event, max_bytes=MAX_REQUEST_BYTES),
        now=requested_at(event),
        requested_by="operator",
    )
    logger.info("rolled back", extra={"model": name, "from": move.from_version, "to": move.to_version})
    count(metrics, {"Rollbacks": 1}, model=name)
    return answer(200, move.to_json())


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)
