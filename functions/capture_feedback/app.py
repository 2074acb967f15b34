"""Capture feedback: durable in the stream to the lake, then acknowledged (POST /v1/models/{model}/feedback)."""

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import clients, labelling, stores
from hindsight.ingestion.feedback_capture import MAX_FEEDBACK_BYTES
from hindsight.runtime.counters import count
from hindsight.runtime.handler import http_handler, metrics
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import model_name, read_object, requested_at
from hindsight.validation.items import items_of

api = create_api(clients.allowed_origin)


@api.post("/models/<model>/feedback")
def capture_feedback(model: str) -> Response[str]:
    """Take a call's events."""
    configuration = stores.recent_configurations()(model_name(model)).configuration
    body = read_object(api.current_event, max_bytes=MAX_FEEDBACK_BYTES, known=frozenset({"events"}))
    receipt = labelling.feedback_capture().capture(
        configuration, items_of(body, "events"), requested_at(api.current_event)
    )
    counts = {"FeedbackAccepted": len(receipt.accepted), "FeedbackRejected": len(receipt.rejected)}
    count(metrics, counts, Model=configuration.model)
    return answer(202, receipt.to_json())


handler = http_handler(api)
