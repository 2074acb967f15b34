"""Lease review tasks to a reviewer and take the answers (GET and POST /v1/models/{model}/review)."""

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import labelling, stores
from hindsight.review.tasks.answers import MAX_ANSWERS_BYTES
from hindsight.review.tasks.leasing import DEFAULT_LEASES, MAX_LEASES
from hindsight.runtime.counters import count
from hindsight.runtime.handler import http_handler, metrics
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import limit, model_name, query_identifier, read_object, requested_at
from hindsight.validation.items import items_of

api = create_api()


@api.get("/models/<model>/review")
def lease(model: str) -> Response[str]:
    """Lease tasks to a reviewer."""
    event = api.current_event
    configuration = stores.configurations().current(model_name(model)).configuration
    reviewer = query_identifier(event, "reviewer")
    most = limit(event, default=DEFAULT_LEASES, most=MAX_LEASES)
    held = labelling.review_leasing().lease(configuration, reviewer, most, requested_at(event))
    count(metrics, {"ReviewsLeased": len(held)})
    return answer(200, [task.to_json() for task in held])


@api.post("/models/<model>/review")
def take_answers(model: str) -> Response[str]:
    """Take a call's answers."""
    configuration = stores.configurations().current(model_name(model)).configuration
    body = read_object(api.current_event, max_bytes=MAX_ANSWERS_BYTES, known=frozenset({"answers"}))
    receipt = labelling.review_answers().take(configuration, items_of(body, "answers"), requested_at(api.current_event))
    count(metrics, {"ReviewsAnswered": len(receipt.accepted), "ReviewsRejected": len(receipt.rejected)})
    return answer(202, receipt.to_json())


handler = http_handler(api)
