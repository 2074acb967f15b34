"""Score instances with the serving version, and log the predictions (POST /v1/models/{model}/predict).

A schedule invokes it too, so that an instance with what serves stays warm: a cold one takes seconds to import the
scientific layer.
"""

from collections import Counter
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import clients, labelling, retraining, stores
from hindsight.entities.prediction import Prediction
from hindsight.ingestion.feedback_token import token_mint
from hindsight.ingestion.prediction_log import MAX_PREDICTIONS_BYTES
from hindsight.runtime.deadline import time_left
from hindsight.runtime.handler import event_handler, logger
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import model_name, read_object, requested_at
from hindsight.serving.answer import shown_prediction
from hindsight.serving.current import require_served_here
from hindsight.serving.predictor import Predictor
from hindsight.training.models.artifact import load_artifact
from hindsight.validation.items import items_of

# Enough for the artefact in hand.
RESERVED_MILLISECONDS = 10_000

api = create_api(clients.allowed_origin)


@api.post("/models/<model>/predict")
def predict(model: str) -> Response[str]:
    """Answer a call's instances."""
    configuration = stores.recent_configurations()(model_name(model)).configuration
    require_served_here(configuration)
    body = read_object(api.current_event, max_bytes=MAX_PREDICTIONS_BYTES, known=frozenset({"instances"}))
    now = requested_at(api.current_event)
    # First of all: a call whose tokens could not be made is to be sent again, before anything of it is kept.
    tokens = token_mint(stores.token_keys(), configuration, now)
    lineup = retraining.serving(load_artifact).line_up(configuration.model)
    served = stores.served_features().read_by(configuration.model, lineup.versions)
    reader = labelling.instance_reader(configuration, now, served)
    answered = Predictor(labelling.prediction_log()).predict(reader, items_of(body, "instances"), lineup)
    _measure(configuration.model, answered.predictions, [*lineup.troubles, *answered.troubles])
    return answer(200, {"predictions": [shown_prediction(prediction, tokens) for prediction in answered.predictions]})


@event_handler
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request; a scheduled event keeps the instance warm."""
    return api.resolve(event, context) if "httpMethod" in event else warm_up(context)


def warm_up(context: LambdaContext) -> dict[str, Any]:
    """Load the serving versions, so that the next call finds imports, connections and artefacts in memory."""
    models = stores.configurations().models()
    failures = retraining.serving(load_artifact).warm_up(models, time_left(context, RESERVED_MILLISECONDS))
    if failures:
        logger.warning("versions_not_warmed_up", extra={"failures": failures})
    return {"models": len(models), "failures": failures}


def _measure(model: str, predictions: list[Prediction], troubles: list[str]) -> None:
    """Count answers by version, and calls that met a version which the pointer names and which could not be used."""
    for version, count in Counter(prediction.model_version for prediction in predictions).items():
        with single_metric(name="Predictions", unit=MetricUnit.Count, value=count) as metric:
            metric.add_dimension("Model", model)
            metric.add_dimension("ModelVersion", version)
    if troubles:
        logger.error("version_unusable", extra={"model": model, "troubles": troubles})
        with single_metric(name="UnusableVersions", unit=MetricUnit.Count, value=1):
            pass  # of all models together: the alarm looks at no model's name
