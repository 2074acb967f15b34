"""Describe the HTTP API to every key holder (GET /v1/openapi.json), and to browsers what they may send (OPTIONS)."""

from functools import cache
from pathlib import Path

from aws_lambda_powertools.event_handler import Response, content_types

import hindsight.runtime.http
from hindsight.bootstrap import clients
from hindsight.core.errors import NotFound
from hindsight.runtime.handler import http_handler
from hindsight.runtime.http.api import create_api

api = create_api(clients.allowed_origin)


@api.get("/openapi.json")
def describe() -> Response[str]:
    """Answer with the OpenAPI document."""
    return Response(200, content_types.APPLICATION_JSON, document())


@api.route("/models/<model>/<action>", method=["OPTIONS"])
def preflight(**_: str) -> Response[str]:
    """Answer a browser's preflight request from the allowed origin; without one the route does not exist."""
    if not clients.allowed_origin():
        raise NotFound("pages of other sites may not call this API")
    headers = {
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "content-type, x-api-key",
        "access-control-max-age": "600",
    }
    return Response(204, content_types.APPLICATION_JSON, "", headers=headers)


handler = http_handler(api)


@cache
def document() -> str:
    """Read the document as it was built with the code."""
    return (Path(next(iter(hindsight.runtime.http.__path__))) / "openapi.json").read_text(encoding="utf-8")
