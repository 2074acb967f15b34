"""Take an operator's request to retrain through the same decision (POST /v1/models/{model}/retrain)."""

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import retraining
from hindsight.runtime.handler import http_handler
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import actor_of, model_name, read_json, requested_at
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

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
        actor=actor_of(event),
    )
    plain = decision.to_plain()
    return answer(202, {name: plain[name] for name in ("decision_id", "triggered", "blocked_by", "explanation")})


handler = http_handler(api)
