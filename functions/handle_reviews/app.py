"""Show the review queues, lease their tasks and take the answers (/v1/review, /v1/models/{model}/review…)."""

from itertools import islice

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import labelling, stores
from hindsight.review.tasks.answers import MAX_ANSWERS_BYTES
from hindsight.review.tasks.leasing import LeaseRequest
from hindsight.review.tasks.queue import reviewed_models
from hindsight.review.tasks.task import UNNAMED_REVIEWER
from hindsight.runtime.counters import count
from hindsight.runtime.handler import http_handler, metrics
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.pages import page
from hindsight.runtime.http.requests import (
    model_name,
    query_identifier,
    read_object,
    read_optional_json,
    requested_at,
)
from hindsight.validation.items import items_of, parse_item
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

api = create_api()


@api.get("/review")
def list_queues() -> Response[str]:
    """List the models that people review, by name, with the counts of their queues."""
    event, queue = api.current_event, labelling.review_queue()
    now, asked = requested_at(event), page(event, default=20, most=50)
    found = list(islice(reviewed_models(stores.configurations(), asked.after), asked.limit + 1))
    return answer(200, asked.of("models", found, lambda one: one.model, lambda one: queue.entry(one, now)))


@api.get("/models/<model>/review")
def show_queue(model: str) -> Response[str]:
    """Show the queue, and the caller's own tasks in it."""
    event = api.current_event
    configuration = stores.configurations().current(model_name(model)).configuration
    reviewer = query_identifier(event, "reviewer", UNNAMED_REVIEWER)
    return answer(200, labelling.review_queue().show(configuration, reviewer, requested_at(event)))


@api.post("/models/<model>/review/leases")
def lease(model: str) -> Response[str]:
    """Lease tasks to a reviewer."""
    event = api.current_event
    configuration = stores.configurations().current(model_name(model)).configuration
    request = parse_item(LeaseRequest, read_optional_json(event, max_bytes=MAX_REQUEST_BYTES), "")
    held = labelling.review_leasing().lease(configuration, request.reviewer, request.limit, requested_at(event))
    count(metrics, {"ReviewsLeased": len(held)})
    return answer(200, [task.to_json() for task in held])


@api.post("/models/<model>/review/answers")
def take_answers(model: str) -> Response[str]:
    """Take a call's answers."""
    configuration = stores.configurations().current(model_name(model)).configuration
    body = read_object(api.current_event, max_bytes=MAX_ANSWERS_BYTES, known=frozenset({"answers"}))
    receipt = labelling.review_answers().take(configuration, items_of(body, "answers"), requested_at(api.current_event))
    count(metrics, {"ReviewsAnswered": len(receipt.accepted), "ReviewsRejected": len(receipt.rejected)})
    return answer(202, receipt.to_json())


handler = http_handler(api)
