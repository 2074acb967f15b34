"""API Gateway before Lambda: 29 seconds, payloads of a size, and 500 where Lambda refuses an invocation."""

import asyncio
import contextvars
import json
from typing import Any

from ministack.services import apigateway_v1, lambda_svc

from bench.account.mode.settings import ASYNCHRONOUS_BYTES, SYNCHRONOUS_BYTES, Mode
from local.forked.patching import replace, require

INTERNAL = "Internal server error"
TIMED_OUT = "Endpoint request timed out"
_ERROR = "Function.ResponseSizeTooLarge"


def install(mode: Mode) -> None:
    """Put the limits before and behind the functions of an API, and of those invoked directly."""
    require(apigateway_v1, "_gw_error")
    replace(apigateway_v1, "_call_lambda_raw", "function_ref event account_id region", _answered)
    replace(
        apigateway_v1,
        "_invoke_lambda_proxy_v1",
        "integration api_id stage_name stage resource request_path method headers body query_params path_params"
        " owner_account_id owner_region binary_media_types authorizer_context caller_identity",
        lambda original: _in_time(original, mode.integration_seconds),
    )
    # What an authorizer said is remembered for a while too, which passes as the rest does.
    replace(apigateway_v1, "_authorizer_ttl", "authorizer", lambda original: lambda which: original(which) * mode.pace)
    replace(lambda_svc, "_execute_function_dispatch", "func config event request_id started", _bounded)
    replace(lambda_svc, "_invoke", "name event headers path_qualifier query_params", _accepted)


_is_too_large: contextvars.ContextVar[list[bool] | None] = contextvars.ContextVar("is_too_large", default=None)


def size(document: Any) -> int:
    """Measure a payload as Lambda does, escaped JSON: a quote in an API's body counts twice."""
    return len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())


def _answered(original: Any) -> Any:
    async def call(function_ref: str, event: Any, **scope: Any) -> tuple[Any, str | None]:
        if size(event) > SYNCHRONOUS_BYTES:
            if (found := _is_too_large.get()) is not None:
                found.append(True)
            return None, "the request is too large for Lambda"
        result, error = await original(function_ref, event, **scope)
        # The caller makes a 500 of an error, as of any invocation that Lambda rejects.
        return (None, "Lambda refused the invocation") if error is None and result.get("throttle") else (result, error)

    return call


def _in_time(original: Any, seconds: float) -> Any:
    async def invoke(*arguments: Any, **more: Any) -> Any:
        found: list[bool] = []
        _is_too_large.set(found)
        # The function goes on where its caller has given up.
        work = asyncio.ensure_future(original(*arguments, **more))
        try:
            answer = await asyncio.wait_for(asyncio.shield(work), seconds)
        except TimeoutError:
            return apigateway_v1._gw_error("INTEGRATION_TIMEOUT", TIMED_OUT)
        return apigateway_v1._gw_error("REQUEST_TOO_LARGE", "Request Too Long") if found else answer

    return invoke


def _bounded(original: Any) -> Any:
    def dispatch(func: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
        result = original(func, config, event, request_id, started)
        if result.get("error") or (found := size(result.get("body"))) <= SYNCHRONOUS_BYTES:
            return result
        message = f"Response payload size exceeded maximum allowed payload size (6291556 bytes): {found}"
        return {**result, "body": {"errorMessage": message, "errorType": _ERROR}, "error": True}

    return dispatch


def _accepted(original: Any) -> Any:
    async def invoke(name: str, event: Any, headers: Any, *more: Any) -> Any:
        is_asynchronous = headers.get("x-amz-invocation-type") == "Event"
        limit = ASYNCHRONOUS_BYTES if is_asynchronous else SYNCHRONOUS_BYTES
        if (found := size(event)) > limit:
            body = {
                "Type": "User",
                "message": f"{found} byte payload is too large for the invocation (limit {limit} bytes)",
            }
            return 413, {"x-amzn-ErrorType": "RequestTooLargeException"}, json.dumps(body).encode()
        return await original(name, event, headers, *more)

    return invoke
