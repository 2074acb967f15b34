"""Lease review tasks to a reviewer (GET /v1/models/{model}/review?limit=&reviewer=)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import labelling, stores
from hindsight.review.tasks.leasing import DEFAULT_LEASES, MAX_LEASES
from hindsight.runtime.counters import count
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import limit, model_name, query_identifier, requested_at

logger = Logger()
metrics = Metrics()
tracer = Tracer()
api = create_api()


@api.get("/models/<model>/review")
def lease_reviews(model: str) -> Response[str]:
    """Hand out tasks."""
    event = api.current_event
    configuration = stores.configurations().current(model_name(model)).configuration
    reviewer = query_identifier(event, "reviewer")
    most = limit(event, default=DEFAULT_LEASES, most=MAX_LEASES)
    held = labelling.review_leasing().lease(configuration, reviewer, most, requested_at(event))
    count(metrics, {"ReviewsLeased": len(held)})
    return answer(200, [task.to_json() for task in held])


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)
