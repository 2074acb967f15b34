"""Describe the HTTP API to whoever has a key (GET /v1/openapi.json)."""

from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.utilities.typing import LambdaContext

import shared.http
from shared.http.api import create_api

logger = Logger()
tracer = Tracer()
api = create_api()


@api.get("/openapi.json")
def describe() -> Response[str]:
    """Return the document."""
    return Response(200, content_types.APPLICATION_JSON, document())


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway request."""
    return api.resolve(event, context)


@cache
def document() -> str:
    """Return the document as it was built with the code."""
    return (Path(next(iter(shared.http.__path__))) / "openapi.json").read_text(encoding="utf-8")
