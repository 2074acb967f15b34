"""Rules of API Gateway and Lambda that the embedded AWS does not keep: paths as sent, sizes, denials, failures.

A denial's gateway response may use what the authorizer put into its context. A function that fails or takes too long is
answered by a gateway response as well: its own words never reach the caller.
"""

import asyncio
import json
import re
from typing import Any

from ministack import app
from ministack.services import apigateway_v1, lambda_svc

from local.forked.patching import replace, require

KIB, MIB = 1024, 1024 * 1024
# Lambda quotas: invocation payload, request and response, synchronous; asynchronous since October 2025.
SYNCHRONOUS_BYTES, ASYNCHRONOUS_BYTES = 6 * MIB, MIB
# API Gateway quotas of a REST API: payload; request line and header values together.
GATEWAY_BYTES, HEADER_BYTES = 10 * MIB, 10 * KIB
# API Gateway quota of a REST API: integration timeout.
INTEGRATION_SECONDS = 29.0
_TOO_LARGE = "REQUEST_TOO_LARGE"
_FAILED, _TIMED_OUT = "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"
# The statuses of a failed integration whose gateway response is not customized: the function failed, or answered in a
# form that is none; Lambda refused to invoke it.
_FUNCTION_FAILED, _INVOCATION_REFUSED = 502, 500
_AUTHORIZER_VARIABLE = re.compile(rb"\$context\.authorizer\.(\w+)")


class _IntegrationFailed(Exception):
    """A function whose result is no answer of the API; ``status`` is that without a customized gateway response."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def install(integration_seconds: float = INTEGRATION_SECONDS) -> None:
    """Put the rules into the emulator's process. Raises EmulatorChanged."""
    require(app, "_parse_execute_api_url")
    require(apigateway_v1, "find_api_scope", "_gw_error", "_build_lambda_event_v1", "_stages_v1")
    require(apigateway_v1, "_deployed_gateway_responses", "_gateway_responses")
    require(apigateway_v1, "_authorizers_v1", "_authorizer_cache", "_request_identity_sources")
    replace(
        app,
        "_handle_execute_api_request",
        "host path method headers body query_params raw_path raw_query_string",
        _by_the_path_as_sent,
    )
    replace(
        apigateway_v1,
        "_execute_in_scope",
        "request api_id stage_name method path headers body query_params owner_account_id owner_region",
        _bounded_request,
    )
    replace(
        apigateway_v1,
        "_invoke_lambda_proxy_v1",
        "integration api_id stage_name stage resource request_path method headers body query_params path_params"
        " owner_account_id owner_region binary_media_types authorizer_context caller_identity",
        lambda original: _bounded_event(_in_time(original, integration_seconds)),
    )
    replace(apigateway_v1, "_lambda_proxy_response", "result", _whole_answer)
    replace(
        apigateway_v1,
        "_authorize_request_v1",
        "api_id stage_name method_obj method request_path resource headers body query_params path_params stage"
        " owner_account_id owner_region",
        _explained_denial,
    )
    replace(
        apigateway_v1,
        "_gateway_error_response",
        "error request",
        lambda original: _with_own_status(_with_authorizer_context(original)),
    )
    replace(lambda_svc, "_execute_function_dispatch", "func config event request_id started", _bounded_answer)
    replace(lambda_svc, "_invoke", "name event headers path_qualifier query_params", _bounded_invocation)


def size(document: Any) -> int:
    """Measure a payload as Lambda does, escaped JSON: a quote in an API's body counts twice.

    >>> size({"body": '"'})
    13
    """
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def _by_the_path_as_sent(original: Any) -> Any:
    """Route a REST API's calls by their path as it was sent, and hand that on: an id may have an escaped slash."""

    async def handle(host: str, path: str, *rest: Any, raw_path: str | None = None, **more: Any) -> Any:
        found = app._parse_execute_api_url(host, path)
        is_rest = raw_path is not None and found is not None and apigateway_v1.find_api_scope(found[0]) is not None
        return await original(host, raw_path if is_rest else path, *rest, raw_path=raw_path, **more)

    return handle


def _bounded_request(original: Any) -> Any:
    async def execute(request: Any, api_id: str, stage: str, method: str, path: str, *rest: Any) -> Any:
        headers, body, *_ = rest
        line_and_headers = len(method) + len(path) + sum(len(str(value)) for value in (headers or {}).values())
        deployed = apigateway_v1._stages_v1.get(api_id, {}).get(stage)
        if deployed and (len(body or b"") > GATEWAY_BYTES or line_and_headers > HEADER_BYTES):
            request["stage"] = deployed  # by which the API's own answer to it is found
            return apigateway_v1._gw_error(_TOO_LARGE, f"HTTP content length exceeded {GATEWAY_BYTES} bytes.")
        return await original(request, api_id, stage, method, path, *rest)

    return execute


def _bounded_event(original: Any) -> Any:
    async def invoke(integration: Any, *place: Any, owner_account_id: Any, owner_region: Any, **more: Any) -> Any:
        if size(apigateway_v1._build_lambda_event_v1(*place, **more)) > SYNCHRONOUS_BYTES:
            return apigateway_v1._gw_error(_TOO_LARGE, "Request Too Long")
        return await original(integration, *place, owner_account_id=owner_account_id, owner_region=owner_region, **more)

    return invoke


def _in_time(original: Any, seconds: float) -> Any:
    """Answer by a gateway response where the function fails, or has not answered in time; it runs on all the same."""

    async def answer(*arguments: Any, **more: Any) -> Any:
        try:
            return await original(*arguments, **more)
        except _IntegrationFailed as failed:
            error = apigateway_v1._gw_error(_FAILED, "Internal server error")
            error.error_type = "InternalServerErrorException"
            error.status = failed.status
            return error

    async def invoke(*arguments: Any, **more: Any) -> Any:
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(answer(*arguments, **more))), seconds)
        except TimeoutError:
            return apigateway_v1._gw_error(_TIMED_OUT, "Endpoint request timed out")

    return invoke


def _whole_answer(original: Any) -> Any:
    """Take what a function returns for an answer if it is one: an object, by a function that has not failed."""

    def respond(result: Any) -> Any:
        if result.get("throttle"):
            raise _IntegrationFailed(_INVOCATION_REFUSED)
        if result.get("error") or not isinstance(result.get("body"), dict):
            raise _IntegrationFailed(_FUNCTION_FAILED)
        return original(result)

    return respond


def _with_own_status(original: Any) -> Any:
    """Give a failed integration the status of its own, unless the API has a gateway response for it."""

    def respond(error: Any, request: Any) -> Any:
        status, headers, body = original(error, request)
        api = request["api_id"]
        deployed = apigateway_v1._deployed_gateway_responses.get(api, {}).get(request["stage"].get("deploymentId"))
        customized = apigateway_v1._gateway_responses.get(api, {}) if deployed is None else deployed
        is_own = hasattr(error, "status") and error.response_type not in customized
        return (error.status if is_own else status), headers, body

    return respond


def _explained_denial(original: Any) -> Any:
    """Keep the authorizer's context with its denial, as the cache of its answers has it."""

    async def authorize(api_id: str, stage_name: str, method: Any, *rest: Any) -> Any:
        error, context = await original(api_id, stage_name, method, *rest)
        if error is not None and error.response_type == "ACCESS_DENIED":
            *_, headers, _body, query, _path, stage, account, region = rest
            authorizer_id = method.get("authorizerId")
            sources = apigateway_v1._authorizers_v1.get(api_id, {}).get(authorizer_id, {}).get("identitySource") or ""
            _, values = apigateway_v1._request_identity_sources(sources, headers, query, stage)
            key = (account, region, api_id, authorizer_id, stage_name, tuple(values))
            error.authorizer = apigateway_v1._authorizer_cache.get(key, (0, {}, {}))[2]
        return error, context

    return authorize


def _with_authorizer_context(original: Any) -> Any:
    """Put the authorizer's context, as it is, into the body of a denial; what it lacks is empty."""

    def respond(error: Any, request: Any) -> Any:
        status, headers, body = original(error, request)
        known = getattr(error, "authorizer", {})
        return status, headers, _AUTHORIZER_VARIABLE.sub(lambda name: known.get(name[1].decode(), "").encode(), body)

    return respond


def _bounded_answer(original: Any) -> Any:
    def dispatch(func: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
        result = original(func, config, event, request_id, started)
        if result.get("error") or (found := size(result.get("body"))) <= SYNCHRONOUS_BYTES:
            return result
        message = f"Response payload size exceeded maximum allowed payload size (6291556 bytes): {found}"
        return {
            **result,
            "body": {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"},
            "error": True,
        }

    return dispatch


def _bounded_invocation(original: Any) -> Any:
    async def invoke(name: str, event: Any, headers: Any, *more: Any) -> Any:
        is_asynchronous = headers.get("x-amz-invocation-type") == "Event"
        limit = ASYNCHRONOUS_BYTES if is_asynchronous else SYNCHRONOUS_BYTES
        if (found := size(event)) > limit:
            message = f"{found} byte payload is too large for the invocation (limit {limit} bytes)"
            body = {"Type": "User", "message": message}
            return 413, {"x-amzn-ErrorType": "RequestTooLargeException"}, json.dumps(body).encode()
        return await original(name, event, headers, *more)

    return invoke
