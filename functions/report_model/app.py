"""What operators read of a model: status, predictions, decisions, versions, history (GET /v1/models/{model}…)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import reporting
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import identifier, limit, model_name, requested_at

DEFAULT_LIMIT = 50
MOST = 1000

logger = Logger()
tracer = Tracer()
api = create_api()


@api.get("/models/<model>")
def status(model: str) -> Response[str]:
    """Report how a model is doing."""
    return answer(200, reporting.model_reports().status(model_name(model), requested_at(api.current_event)))


@api.get("/models/<model>/predictions/<prediction_id>")
def prediction(model: str, prediction_id: str) -> Response[str]:
    """Explain one prediction."""
    return answer(200, reporting.model_reports().prediction(model_name(model), identifier(prediction_id, "prediction")))


@api.get("/models/<model>/decisions")
def decisions(model: str) -> Response[str]:
    """List trigger decisions, newest first, and what the newest scheduled evaluation decided, recorded or not."""
    reports, name = reporting.model_reports(), model_name(model)
    found, last = reports.decisions(name, _limit()), reports.last_evaluation(name)
    return answer(
        200,
        {
            "decisions": [decision.to_plain() for decision in found],
            "last_evaluation": last.to_plain() if last else None,
        },
    )


@api.get("/models/<model>/versions")
def versions(model: str) -> Response[str]:
    """List versions, newest first."""
    return answer(200, {"versions": reporting.model_reports().versions(model_name(model), _limit())})


@api.get("/models/<model>/history")
def history(model: str) -> Response[str]:
    """List the moves of the serving pointer, newest first."""
    found = reporting.model_reports().history(model_name(model), _limit())
    return answer(200, {"history": [move.to_json() for move in found]})


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)


def _limit() -> int:
    return limit(api.current_event, default=DEFAULT_LIMIT, most=MOST)
