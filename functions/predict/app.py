"""Score instances with the serving version, and keep what was predicted (POST /v1/models/{model}/predict)."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import bootstrap
from shared.capture.intake import items_of
from shared.capture.prediction import Prediction
from shared.capture.prediction_log import MAX_PREDICTIONS_BYTES
from shared.capture.predictor import Predictor
from shared.http.api import answer, create_api
from shared.http.requests import model_name, read_object, requested_at
from shared.training.artifact import load_artifact

logger = Logger()
metrics = Metrics()
tracer = Tracer()
api = create_api()


@api.post("/models/<model>/predict")
def predict(model: str) -> Response[str]:
    """Answer a call's instances."""
    configuration = bootstrap.configurations().current(model_name(model)).configuration
    body = read_object(api.current_event, max_bytes=MAX_PREDICTIONS_BYTES, known=frozenset({"instances"}))
    version, scorer = bootstrap.serving(load_artifact).version(configuration.model)
    reader = bootstrap.instance_reader(configuration, requested_at(api.current_event))
    predictions = Predictor(bootstrap.prediction_log()).predict(reader, items_of(body, "instances"), version, scorer)
    metrics.add_dimension("model", configuration.model)
    metrics.add_dimension("model_version", version)
    metrics.add_metric("Predictions", MetricUnit.Count, len(predictions))
    return answer(200, {"predictions": [_shown(prediction) for prediction in predictions]})


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)


def _shown(prediction: Prediction) -> dict[str, Any]:
    shown = {
        "prediction_id": prediction.prediction_id,
        "decision": prediction.decision,
        "score": prediction.score,
        "model_version": prediction.model_version,
    }
    return shown if prediction.probabilities is None else {**shown, "probabilities": dict(prediction.probabilities)}
