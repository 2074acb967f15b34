"""Take operators' requests for reviews: of named predictions, of resolved tasks again (POST …/review/tasks…)."""

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import labelling, stores
from hindsight.review.requests.requested_tasks import REQUEST_FIELDS
from hindsight.review.tasks.overview import shown_task
from hindsight.runtime.handler import http_handler
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import (
    actor_of,
    identifier,
    model_name,
    read_object,
    read_optional_json,
    requested_at,
)
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

MAX_PREDICTIONS_BYTES = 128 * 1024

api = create_api()


@api.post("/models/<model>/review/tasks")
def request_reviews(model: str) -> Response[str]:
    """Make review tasks of the predictions in the body."""
    event = api.current_event
    configuration = stores.configurations().current(model_name(model)).configuration
    body = read_object(event, max_bytes=MAX_PREDICTIONS_BYTES, known=REQUEST_FIELDS)
    receipt = labelling.requested_reviews().take(configuration, body, requested_at(event), actor_of(event))
    return answer(202, receipt.to_json())


@api.post("/models/<model>/review/tasks/<task_id>/reopen")
def reopen(model: str, task_id: str) -> Response[str]:
    """Open a resolved task again; its annotation is retracted."""
    event, name = api.current_event, identifier(task_id, "review task")
    configuration = stores.configurations().current(model_name(model)).configuration
    body = read_optional_json(event, max_bytes=MAX_REQUEST_BYTES)
    task = labelling.reopenings().take(configuration, name, body, now=requested_at(event), actor=actor_of(event))
    return answer(200, {"task_id": task.task_id, **shown_task(task)})


handler = http_handler(api)
