"""What came in and what did not: quarantine, replays, imports (GET /v1/models/{model}/quarantine… and …/imports)."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import reporting
from hindsight.ingestion.imports import shown_import
from hindsight.quarantine.replay_request import shown_replay
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import identifier, limit, model_name, quarantine_name, requested_at

DEFAULT_LIMIT = 50
MOST = 300

logger = Logger()
tracer = Tracer()
api = create_api()


@api.get("/models/<model>/quarantine")
def quarantine(model: str) -> Response[str]:
    """Count what is in quarantine by reason, and show the newest of it."""
    event = api.current_event
    report = reporting.quarantine_reports().newest(quarantine_name(model), _limit(), requested_at(event))
    return answer(200, report)


@api.get("/models/<model>/quarantine/replays/<replay_id>")
def replay(model: str, replay_id: str) -> Response[str]:
    """Tell how far a replay is."""
    job = reporting.intake_reports().replay(quarantine_name(model), identifier(replay_id, "replay"))
    return answer(200, shown_replay(job))


@api.get("/models/<model>/imports")
def imports(model: str) -> Response[str]:
    """List imports, newest first."""
    found = reporting.intake_reports().imports(model_name(model), _limit())
    return answer(200, {"imports": [shown_import(job) for job in found]})


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)


def _limit() -> int:
    return limit(api.current_event, default=DEFAULT_LIMIT, most=MOST)
