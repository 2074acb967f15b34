"""HTTP answers: the resolver every HTTP function uses, and the one place where an error becomes a status."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from hindsight.core import compact_json
from hindsight.core.errors import (
    Conflict,
    Forbidden,
    HindsightError,
    InvalidInput,
    NoModel,
    NotFound,
    TooLarge,
    Unavailable,
    UnreadableObject,
    UnsupportedType,
    UnusableArtifact,
)
from hindsight.runtime.http.audiences import audiences_of

REQUEST_ID_HEADER = "x-request-id"
ORIGIN_HEADER = "access-control-allow-origin"
STATUS_BY_ERROR: dict[type[HindsightError], int] = {
    InvalidInput: 400,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    NoModel: 409,
    TooLarge: 413,
    UnsupportedType: 415,
    Unavailable: 503,
}

_TRY_AGAIN = "something went wrong on our side; try again"
_REMEDIES: dict[type[HindsightError], str] = {
    UnusableArtifact: "the version that serves cannot be loaded or cannot score: a rollback to another helps, "
    "trying again does not",
    UnreadableObject: "an object of the lake is damaged, and the log of this function names it: bring back its version "
    "before, or remove it",
}

logger = Logger(child=True)


def create_api(allowed_origin: Callable[[], str] = lambda: "") -> APIGatewayRestResolver:
    """Build a resolver of routes for their audience alone, whose answers have a request id and the contract's shape.

    Browsers may read the answers on pages of the ``allowed_origin``; by default on none.
    """
    api = APIGatewayRestResolver(strip_prefixes=["/v1"])

    def finish(response: Response[Any]) -> Response[Any]:
        response.headers[REQUEST_ID_HEADER] = api.current_event.request_context.request_id or ""
        if origin := allowed_origin():
            response.headers[ORIGIN_HEADER] = origin
        return response

    def proceed_and_finish(_: APIGatewayRestResolver, proceed: NextMiddleware) -> Response[Any]:
        _require_audience(api.current_event)
        return finish(proceed(api))

    api.use(middlewares=[proceed_and_finish])

    @api.exception_handler(HindsightError)  # type: ignore[untyped-decorator]
    def refuse(error: HindsightError) -> Response[str]:
        status = next((status for kind, status in STATUS_BY_ERROR.items() if isinstance(error, kind)), 500)
        if status >= 500:
            logger.error("request_failed", extra={"code": error.code, "reason": error.message})
        own = _own_fault(error.code, _REMEDIES.get(type(error), _TRY_AGAIN))
        shown = answer(500, {"error": own}) if status == 500 else error_response(status, error)
        return finish(shown)

    @api.exception_handler(Exception)  # type: ignore[untyped-decorator]
    def fail(_: Exception) -> Response[str]:
        logger.exception("unexpected_error")
        return finish(answer(500, {"error": _own_fault(HindsightError.code, _TRY_AGAIN)}))

    @api.not_found
    def no_route(_: NotFoundError) -> Response[str]:
        return finish(error_response(404, NotFound("there is nothing at this address")))

    return api


def _require_audience(event: APIGatewayProxyEvent) -> None:
    """Require a route of the caller's audience, as the authorizer named it. Raises Forbidden.

    The authorizer's policy refuses nearly all other routes; its wildcards cannot distinguish every route from another.
    """
    if event.http_method == "OPTIONS":  # a browser's question before its call carries no key
        return
    told = event.request_context.get("authorizer") or {}
    if told.get("audience") not in audiences_of(event.http_method, event.resource):
        raise Forbidden("this key may not call this route")


def answer(status: int, body: object) -> Response[str]:
    """Build a JSON answer."""
    return Response(status, content_types.APPLICATION_JSON, compact_json.dumps(body))


def error_response(status: int, error: HindsightError) -> Response[str]:
    """Build an error response in the contract's shape."""
    return answer(status, {"error": error_body(error)})


def error_body(error: HindsightError) -> dict[str, Any]:
    """Build the body of an error: its code, its message, and each path at fault."""
    details = [{"path": fault.path, "message": fault.message} for fault in error.faults]
    return {"code": error.code, "message": error.message, "details": details}


def _own_fault(code: str, message: str) -> dict[str, Any]:
    """Build the body for a fault of ours: the log has its cause, the caller gets what helps."""
    return {"code": code, "message": message, "details": []}
