"""The OpenAPI document of the HTTP API, put together from the routes and from what the code reads."""

import json
import re
from pathlib import Path
from typing import Any

from hindsight.config.types import IDENTIFIER, MODEL_NAME
from local.openapi.route import Route
from local.openapi.routes import ROUTES
from local.openapi.schemas import Schema, components, ref

COMMITTED = Path(__file__).parents[2] / "shared/hindsight/runtime/http/openapi.json"
_REFUSALS = {
    400: "malformed or invalid",
    401: "no key",
    403: "another audience's key",
    404: "no such model, or id",
    405: "no such method",
    409: "not as things stand",
    413: "too large",
    415: "another content type than is read",
    429: "too many calls: try again later",
    500: "our fault: try again",
    503: "could not be done in time: send it again, with the same ids",
}


def document() -> dict[str, Any]:
    """Build the document, OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hindsight",
            "version": "1",
            "description": "The feedback loop around a machine-learning model in production.",
        },
        "servers": [{"url": "/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
            "schemas": components(),
        },
    }


def written() -> str:
    """Write the document as it is committed and served."""
    return json.dumps(document(), indent=1, sort_keys=True) + "\n"


def _operation(route: Route) -> dict[str, Any]:
    refusals = [400, 401, 403, 404, 413, 429, 500, 503]
    refusals += [409] * route.conflicts + [415] * (route.body is not None)
    found: dict[str, Any] = {
        "summary": route.does,
        "description": f"For: {', '.join(audience.value for audience in route.audiences)}.",
        "tags": [audience.value for audience in route.audiences],
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": {
            str(route.status): {"description": "done" if route.status == 200 else "taken", **_content(route.answer)},
            **{
                str(status): {"description": _REFUSALS[status], **_content(ref("Error"))} for status in sorted(refusals)
            },
        },
    }
    if route.body is not None:
        content = {kind: {"schema": route.body} for kind in route.types}
        found["requestBody"] = {"required": route.needs_body, "content": content}
    return found


def _path_parameters(route: Route) -> list[Schema]:
    patterns = {"model": MODEL_NAME}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{patterns.get(name, IDENTIFIER).strip('^$')}$"},
        }
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]


def _query_parameters(route: Route) -> list[Schema]:
    found: list[Schema] = [
        {"name": name, "in": "query", "required": required, "schema": {"type": "string", "pattern": IDENTIFIER}}
        for name, required in route.query.items()
    ]
    if route.most is not None:
        schema = {"type": "integer", "minimum": 1, "maximum": route.most}
        found.append({"name": "limit", "in": "query", "required": False, "schema": schema})
    return found


def _content(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}
