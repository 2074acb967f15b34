"""The entry points that Lambda calls: one factory for HTTP, one for events, each with its log and its trace."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import APIGatewayRestResolver

T = TypeVar("T")
EventHandler = Callable[[dict[str, Any], LambdaContext], T]

logger = Logger()
metrics = Metrics()
tracer = Tracer()


def event_handler(handle: EventHandler[T]) -> EventHandler[T]:
    """Decorate the handler of an event: each line of its log names the invocation, and a trace has it as a part.

    What it answers stays out of the trace: it may hold a person's data.
    """
    traced = tracer.capture_lambda_handler(handle, capture_response=False)
    logged: EventHandler[T] = logger.inject_lambda_context(traced)
    return logged


def http_handler(api: "APIGatewayRestResolver") -> EventHandler[dict[str, Any]]:
    """Build the handler of API Gateway's requests from the routes of a function."""

    @event_handler
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        return api.resolve(event, context)

    return handler
