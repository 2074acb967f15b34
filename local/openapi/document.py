"""The OpenAPI document of the HTTP API, put together from the routes and from what the code reads."""

import json
import re
from pathlib import Path
from typing import Any

from hindsight.config.types import IDENTIFIER, MODEL_NAME
from local.openapi.answers import ACCEPTED_JOB
from local.openapi.examples.answers import EXAMPLES
from local.openapi.examples.bodies import BODY_EXAMPLES
from local.openapi.examples.records import ACCEPTED, REFUSAL_EXAMPLES
from local.openapi.route import Route
from local.openapi.routes import ROUTES
from local.openapi.schemas import Schema, components, ref

COMMITTED = Path(__file__).parents[2] / "shared/hindsight/runtime/http/openapi.json"
_REFUSALS = {
    400: "malformed or invalid",
    401: "no key",
    403: "an unknown key (`unknown_key`), or another audience's (`forbidden`)",
    404: "no such model, or id",
    405: "no such method",
    409: "not in the present state",
    413: "too large",
    415: "another content type than is read",
    429: "too many calls: try again later",
    500: "our fault: try again",
    502: "a function failed: send it again, with the same ids",
    503: "could not be done in time: send it again, with the same ids",
    504: "took longer than 29 seconds: send it again, with the same ids",
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
    found: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.does,
        "description": f"For: {', '.join(audience.value for audience in route.audiences)}.",
        "tags": [audience.value for audience in route.audiences],
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route),
    }
    if route.body is not None:
        if route.name not in BODY_EXAMPLES:
            raise LookupError(f"{route.name} has no example of its body: add one to local/openapi/examples/bodies.py")
        content = {kind: {"schema": route.body, "example": BODY_EXAMPLES[route.name]} for kind in route.types}
        found["requestBody"] = {"required": route.needs_body, "content": content}
    return found


def _responses(route: Route) -> dict[str, Any]:
    refusals = [400, 401, 403, 404, 413, 429, 500, 502, 503, 504]
    refusals += [409] * route.conflicts + [415] * (route.body is not None)
    done = "done" if route.status == 200 else "taken"
    if route.name not in EXAMPLES:
        raise LookupError(f"{route.name} has no example of its answer: add one to local/openapi/examples/answers.py")
    job = {"202": {"description": "taken", **_content(ACCEPTED_JOB, ACCEPTED)}} if route.starts_job else {}
    return {
        str(route.status): {"description": done, **_content(route.answer, EXAMPLES[route.name])},
        **job,
        **{
            str(status): {"description": _REFUSALS[status], **_content(ref("Error"), REFUSAL_EXAMPLES[status])}
            for status in sorted(refusals)
        },
    }


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
    return [
        {"name": one.name, "in": "query", "required": one.required, "schema": one.schema} for one in route.parameters
    ]


def _content(schema: Schema, example: Any) -> Schema:
    return {"content": {"application/json": {"schema": schema, "example": example}}}
