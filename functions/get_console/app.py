"""Serve the console's files to browsers (GET /v1/console…), and name the caller of a key (GET /v1/caller)."""

from functools import cache
from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from hindsight.runtime.handler import http_handler
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import actor_of
from hindsight.runtime.http.static_files import StaticFiles

api = create_api()


@api.get("/console")
@api.get("/console/.+")
def show_file() -> Response[str]:
    """Answer with a file of the console, by default its page."""
    return files().answer(api.current_event)


@api.get("/caller")
def show_caller() -> Response[str]:
    """Name the audience of a key, and the actor that audit records will name."""
    event = api.current_event
    return answer(200, {"audience": event.request_context["authorizer"]["audience"], "actor": actor_of(event)})


handler = http_handler(api)


@cache
def files() -> StaticFiles:
    """Read the console's files once."""
    return StaticFiles.read(Path(__file__).parent / "static", "index.html")
