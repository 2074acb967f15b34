"""Requests as API Gateway passes them on, made from a function's sample event."""

import json
from collections.abc import Callable
from typing import Any

from tests.functions.conftest import EVENTS, Context

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Answer = tuple[int, Any]


def send(handler: Handler, folder: str, body: Any = None, **changes: Any) -> Answer:
    """Send a function's sample request, with another body if one is given; give the status and the JSON answer."""
    answer = request(handler, folder, body, **changes)
    return answer["statusCode"], json.loads(answer["body"])


def request(handler: Handler, folder: str, body: Any = None, **changes: Any) -> dict[str, Any]:
    """Send a function's sample request as ``send`` does; give the whole answer."""
    event: dict[str, Any] = json.loads((EVENTS / f"{folder}.json").read_text())
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    if "content_type" in changes:
        event["headers"]["Content-Type"] = changes.pop("content_type")
    event |= changes
    answer = handler(event, Context())
    assert answer["multiValueHeaders"]["x-request-id"] == [event["requestContext"]["requestId"]]
    return answer


def paths(answer: Any) -> list[str]:
    """List the paths at fault that an error names."""
    return [detail["path"] for detail in answer["error"]["details"]]
