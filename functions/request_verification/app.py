"""Ask whether a dataset can be built again, and what was found (POST, GET /v1/models/{model}/datasets/{id}/verify)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import retraining
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import identifier, model_name, requested_at

logger = Logger()
tracer = Tracer()
api = create_api()


@api.post("/models/<model>/datasets/<dataset_id>/verify")
def begin(model: str, dataset_id: str) -> Response[str]:
    """Begin to verify a dataset."""
    requests = retraining.verification_requests()
    return answer(202, requests.take(model_name(model), _id(dataset_id), requested_at(api.current_event)))


@api.get("/models/<model>/datasets/<dataset_id>/verify")
def found(model: str, dataset_id: str) -> Response[str]:
    """Tell what was found."""
    return answer(200, retraining.verification_requests().newest(model_name(model), _id(dataset_id)))


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)


def _id(raw: str) -> str:
    return identifier(raw, "dataset")
