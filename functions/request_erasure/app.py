"""Take requests to erase an entity, and tell of them (DELETE /v1/models/{model}/entities/{id}, GET …/erasures)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling
from hindsight.privacy.requests import shown
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import identifier, limit, model_name, read_optional_json, requested_at
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

DEFAULT_LIMIT, MOST = 20, 100

logger = Logger()
tracer = Tracer()
api = create_api()


@api.delete("/models/<model>/entities/<entity_id>")
def erase(model: str, entity_id: str) -> Response[str]:
    """Begin to erase what is kept of an entity."""
    event = api.current_event
    job = labelling.erasure_requests().take(
        model_name(model),
        identifier(entity_id, "entity"),
        read_optional_json(event, max_bytes=MAX_REQUEST_BYTES),
        now=requested_at(event),
        request_id=event.request_context.request_id or "",
    )
    return answer(202, shown(job))


@api.get("/models/<model>/erasures")
def erasures(model: str) -> Response[str]:
    """Tell of the newest erasures."""
    most = limit(api.current_event, default=DEFAULT_LIMIT, most=MOST)
    return answer(200, {"erasures": labelling.erasure_requests().newest(model_name(model), most)})


@api.get("/models/<model>/erasures/<erasure_id>")
def erasure(model: str, erasure_id: str) -> Response[str]:
    """Tell of one erasure, and which versions were trained on what it erased."""
    return answer(200, labelling.erasure_requests().find(model_name(model), identifier(erasure_id, "erasure")))


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)
