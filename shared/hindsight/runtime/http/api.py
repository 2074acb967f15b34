"""HTTP answers: the resolver every HTTP function uses, and the one place where an error becomes a status."""

from collections.abc import Callable, Sequence
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from hindsight.core import compact_json
from hindsight.core.compact_json import MAX_ANSWER_BYTES, answer_bytes
from hindsight.core.errors import (
    MAX_FAULTS,
    MAX_MESSAGE,
    NOTHING_HERE,
    Conflict,
    Fault,
    Forbidden,
    HindsightError,
    InvalidInput,
    ModelRetired,
    NoModel,
    NotFound,
    ServedElsewhere,
    TooLarge,
    Unavailable,
    UnreadableObject,
    UnsupportedType,
    UnusableArtifact,
    shortened,
)
from hindsight.runtime.http.audiences import audiences_of, is_public

REQUEST_ID_HEADER = "x-request-id"
ORIGIN_HEADER = "access-control-allow-origin"
STATUS_BY_ERROR: dict[type[HindsightError], int] = {
    InvalidInput: 400,
    Forbidden: 403,
    ModelRetired: 409,  # before NotFound, whose kind it is
    NotFound: 404,
    Conflict: 409,
    NoModel: 409,
    ServedElsewhere: 409,
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
        if status == 500:
            # A fault of ours: the log has its cause, the caller gets what helps.
            return finish(error_response(500, error.code, _REMEDIES.get(type(error), _TRY_AGAIN)))
        return finish(error_response(status, error.code, error.message, error.faults))

    @api.exception_handler(Exception)  # type: ignore[untyped-decorator]
    def fail(_: Exception) -> Response[str]:
        logger.exception("unexpected_error")
        return finish(error_response(500, HindsightError.code, _TRY_AGAIN))

    @api.not_found
    def no_route(_: NotFoundError) -> Response[str]:
        return finish(error_response(404, NotFound.code, NOTHING_HERE))

    return api


def _require_audience(event: APIGatewayProxyEvent) -> None:
    """Require a route of the caller's audience, as the authorizer named it. Raises Forbidden.

    The authorizer's policy refuses nearly all other routes; its wildcards cannot distinguish every route from another.
    """
    # A browser's question before its call carries no key, nor does the one that opens the console.
    if event.http_method == "OPTIONS" or is_public(event.http_method, event.resource):
        return
    caller = event.request_context.get("authorizer") or {}
    allowed = audiences_of(event.http_method, event.resource)
    if (audience := caller.get("audience")) not in allowed:
        names = ", ".join(f"{name}s" for name in allowed)
        raise Forbidden(f"this route is for {names}; the key is of the audience {audience or 'anonymous'}")


def answer(status: int, body: object) -> Response[str]:
    """Build a JSON answer. Raises TooLarge for one that Lambda would not hand on."""
    text = compact_json.dumps(body)
    # A character is seven bytes at most: measuring a small answer is left out.
    if 7 * len(text) > MAX_ANSWER_BYTES and (size := answer_bytes(body)) > MAX_ANSWER_BYTES:
        raise TooLarge(f"the answer would have {size} bytes, more than the {MAX_ANSWER_BYTES} that fit; request fewer")
    return Response(status, content_types.APPLICATION_JSON, text)


def error_response(status: int, code: str, message: str, faults: Sequence[Fault] = ()) -> Response[str]:
    """Build an error response in the contract's shape: a code, a message, and as many paths at fault as fit."""
    details = [fault.to_json() for fault in faults[:MAX_FAULTS]]
    if more := len(faults) - len(details):
        details.append(Fault("", f"{more} more").to_json())
    return answer(status, {"error": {"code": code, "message": shortened(message, MAX_MESSAGE), "details": details}})
