"""API Gateway before Lambda: 29 seconds, and 500 where Lambda refuses an invocation."""

import asyncio
from typing import Any

from ministack.services import apigateway_v1

from bench.account.mode.settings import Mode
from local.forked.patching import replace, require

TIMED_OUT = "Endpoint request timed out"


def install(mode: Mode) -> None:
    """Put the limits before and behind the functions of an API, and of those invoked directly."""
    require(apigateway_v1, "_gw_error")
    replace(apigateway_v1, "_call_lambda_raw", "function_ref event account_id region", _answered)
    apigateway_v1._invoke_lambda_proxy_v1 = _in_time(apigateway_v1._invoke_lambda_proxy_v1, mode.integration_seconds)
    # An authorizer's answer is cached for a while too, a time that is shortened as the others.
    replace(apigateway_v1, "_authorizer_ttl", "authorizer", lambda original: lambda which: original(which) * mode.pace)


def _answered(original: Any) -> Any:
    async def call(function_ref: str, event: Any, **scope: Any) -> tuple[Any, str | None]:
        result, error = await original(function_ref, event, **scope)
        # The caller makes a 500 of an error, as of any invocation that Lambda rejects.
        return (None, "Lambda refused the invocation") if error is None and result.get("throttle") else (result, error)

    return call


def _in_time(original: Any, seconds: float) -> Any:
    async def invoke(*arguments: Any, **more: Any) -> Any:
        # The function runs on after its caller's timeout.
        work = asyncio.ensure_future(original(*arguments, **more))
        try:
            return await asyncio.wait_for(asyncio.shield(work), seconds)
        except TimeoutError:
            return apigateway_v1._gw_error("INTEGRATION_TIMEOUT", TIMED_OUT)

    return invoke
