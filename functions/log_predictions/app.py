"""Log predictions made elsewhere (POST /v1/models/{model}/predictions)."""

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import clients, labelling, stores
from hindsight.ingestion.feedback_token import token_mint
from hindsight.ingestion.prediction_log import MAX_PREDICTIONS_BYTES
from hindsight.runtime.counters import count
from hindsight.runtime.handler import http_handler, metrics
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import model_name, read_object, requested_at
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


handler = http_handler(api)
