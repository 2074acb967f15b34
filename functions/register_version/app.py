"""Register a version that was made elsewhere, and sign links for its files (POST …/versions, …/uploads)."""

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import retraining, stores
from hindsight.core.times import format_time
from hindsight.lake.uploads import upload_key
from hindsight.reporting.status import LINKS_LAST
from hindsight.runtime.handler import http_handler, logger
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import model_name, read_json, requested_at
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

api = create_api()


@api.post("/models/<model>/versions")
def register(model: str) -> Response[str]:
    """Register a version, judged by the gate if it comes with scores."""
    event, of = api.current_event, model_name(model)
    body = read_json(event, max_bytes=MAX_REQUEST_BYTES)
    registered = retraining.registrations().take(of, body, requested_at(event))
    record = registered.record
    verdict = record.verdict.value
    logger.info("version_registered", extra={"model": of, "version": record.version, "verdict": verdict})
    return answer(200, registered.to_json())


@api.post("/models/<model>/uploads")
def upload(model: str) -> Response[str]:
    """Sign a link to which a file of scores, or of a baseline's rows, is put."""
    event = api.current_event
    now, name = requested_at(event), stores.configurations().current(model_name(model)).configuration.model
    key = upload_key(name, now, event.request_context.request_id or "file")
    link = stores.lake().upload_link(key, LINKS_LAST)
    return answer(200, {"key": key, "url": link, "expires_at": format_time(now + LINKS_LAST)})


handler = http_handler(api)
