"""Store a model's configuration as a new revision (PUT /v1/models/{model})."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.bootstrap import stores
from hindsight.config.parse import MAX_CONFIGURATION_BYTES, parse_configuration
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import read_document, requested_at, unquoted

logger = Logger()
tracer = Tracer()
api = create_api()


@api.put("/models/<model>")
def configure_model(model: str) -> Response[str]:
    """Check and store the configuration in the body."""
    document = read_document(api.current_event, max_bytes=MAX_CONFIGURATION_BYTES)
    configuration = parse_configuration(document, model=unquoted(model))
    revision = stores.configurations().put(configuration, requested_at(api.current_event))
    return answer(200, {"model": configuration.model, "revision": revision})


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)
