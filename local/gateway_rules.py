"""Rules of a real API Gateway that the embedded AWS does not keep."""

from typing import Any

from ministack import app
from ministack.services import apigateway_v1

from local.forked.patching import replace, require


def install() -> None:
    """Put the rules into the emulator's process. Raises EmulatorChanged."""
    require(app, "_parse_execute_api_url")
    require(apigateway_v1, "find_api_scope")
    replace(
        app,
        "_handle_execute_api_request",
        "host path method headers body query_params raw_path raw_query_string",
        _by_the_path_as_sent,
    )


def _by_the_path_as_sent(original: Any) -> Any:
    """Route a REST API's calls by their path as it was sent, and hand that on: an id may have an escaped slash."""

    async def handle(host: str, path: str, *rest: Any, raw_path: str | None = None, **more: Any) -> Any:
        found = app._parse_execute_api_url(host, path)
        is_rest = raw_path is not None and found is not None and apigateway_v1.find_api_scope(found[0]) is not None
        return await original(host, raw_path if is_rest else path, *rest, raw_path=raw_path, **more)

    return handle
