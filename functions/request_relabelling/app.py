"""Begin, resume and follow relabellings (POST and GET /v1/models/{model}/relabel…)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling
from hindsight.labels.relabelling.requests import accepted
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import identifier, limit, model_name, read_json, requested_at
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

DEFAULT_LIMIT = 20
MOST = 200

logger = Logger()
tracer = Tracer()
api = create_api()


@api.post("/models/<model>/relabel")
def begin(model: str) -> Response[str]:
    """Begin the relabelling the body asks for."""
    event = api.current_event
    job = labelling.relabel_requests().take(
        model_name(model),
        read_json(event, max_bytes=MAX_REQUEST_BYTES),
        now=requested_at(event),
        request_id=event.request_context.request_id or "",
    )
    return answer(202, accepted(job))


@api.post("/models/<model>/relabel/<relabel_id>/resume")
def resume(model: str, relabel_id: str) -> Response[str]:
    """Go on with a relabelling that failed or was stopped."""
    return answer(202, accepted(labelling.relabel_requests().resume(model_name(model), _id(relabel_id))))


@api.get("/models/<model>/relabel")
def relabellings(model: str) -> Response[str]:
    """List relabellings, newest first."""
    most = limit(api.current_event, default=DEFAULT_LIMIT, most=MOST)
    found = labelling.relabel_requests().jobs(model_name(model), most)
    return answer(200, {"relabellings": [job.to_json() for job in found]})


@api.get("/models/<model>/relabel/<relabel_id>")
def relabelling(model: str, relabel_id: str) -> Response[str]:
    """Tell how far a relabelling is."""
    return answer(200, labelling.relabel_requests().job(model_name(model), _id(relabel_id)).to_json())


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)


def _id(raw: str) -> str:
    return identifier(raw, "relabelling")
