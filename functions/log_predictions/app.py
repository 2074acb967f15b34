"""Log predictions made elsewhere, and name the version that serves (/v1/models/{model}/predictions, …/serving)."""

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import clients, labelling, stores
from hindsight.ingestion.feedback_token import token_mint
from hindsight.ingestion.prediction_log import MAX_PREDICTIONS_BYTES
from hindsight.runtime.counters import count
from hindsight.runtime.handler import http_handler, metrics
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import model_name, query_identifier, read_object, requested_at
from hindsight.serving.current import MAX_AGE_SECONDS, entity_tag, show_serving
from hindsight.validation.items import items_of

api = create_api(clients.allowed_origin)


@api.post("/models/<model>/predictions")
def log_predictions(model: str) -> Response[str]:
    """Keep a call's predictions."""
    configuration = stores.recent_configurations()(model_name(model)).configuration
    body = read_object(api.current_event, max_bytes=MAX_PREDICTIONS_BYTES, known=frozenset({"predictions"}))
    now = requested_at(api.current_event)
    # First of all: a call whose tokens could not be made is to be sent again, before anything of it is kept.
    tokens = token_mint(stores.token_keys(), configuration, now)
    reader = labelling.instance_reader(configuration, now, stores.served_now(configuration.model))
    receipt = labelling.prediction_capture().capture(reader, items_of(body, "predictions"))
    counts = {"PredictionsAccepted": len(receipt.accepted), "PredictionsRejected": len(receipt.rejected)}
    count(metrics, counts, Model=configuration.model)
    issued = {} if tokens is None else {"tokens": {accepted: tokens(accepted) for accepted in receipt.accepted}}
    return answer(202, receipt.to_json() | issued)


@api.get("/models/<model>/serving")
def serving(model: str) -> Response[str]:
    """Name the versions that serve, and the one that is to answer an entity."""
    event = api.current_event
    name = stores.recent_configurations()(model_name(model)).configuration.model
    asks_for_one = "entity_id" in (event.query_string_parameters or {})
    entity = query_identifier(event, "entity_id", "") if asks_for_one else None
    shown = show_serving(name, stores.recent_pointers()(name), entity)
    tag = entity_tag(shown)
    is_known = tag in (event.headers.get("if-none-match") or "").split(", ")
    response = Response[str](304, body="") if is_known else answer(200, shown)
    response.headers |= {"etag": tag, "cache-control": f"private, max-age={MAX_AGE_SECONDS}"}
    return response


handler = http_handler(api)
