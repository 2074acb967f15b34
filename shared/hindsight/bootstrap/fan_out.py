"""Scheduled functions that work on every model: one invocation a model."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from hindsight.adapters.aws.background import LambdaBackground
from hindsight.bootstrap import clients, stores
from hindsight.core.errors import ModelRetired
from hindsight.core.fan_out import FanOut, addressed
from hindsight.runtime.deadline import time_left
from hindsight.runtime.events.schedules import parse_scope

# Enough for a start that is tried again, and to hand the rest on.
RESERVED_MILLISECONDS = 30_000

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]
# The filter of an event that concerns some models only.
Concerns = Callable[[dict[str, Any], str], bool]

logger = Logger(child=True)


def one_invocation_a_model(
    concerns: Concerns = lambda _event, _model: True, *, retired: bool = False
) -> Callable[[Handler], Handler]:
    """Build the decorator of a handler that is called for one model at a time, named in the event's ``detail``.

    An event that names no model makes the function start itself once for each. A deployment's only model is worked on
    at once. Models that are ``retired`` are passed over, unless they are asked for.
    """

    def decorate(handler: Handler) -> Handler:
        def unless_retired(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            try:
                return handler(event, context)
            except ModelRetired:
                # Since it was listed.
                logger.info("model_retired", extra={"model": parse_scope(event).model})
                return {"retired": True}

        @wraps(handler)
        def dispatching(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            scope = parse_scope(event)
            if scope.model is not None:
                return unless_retired(event, context)
            models = stores.configurations().models(retired=retired)
            if len(models) == 1:
                return unless_retired(addressed(event, model=models[0]), context)
            report = _fan_out(context.function_name).start(
                event,
                [model for model in models if model > scope.after],
                time_left(context, RESERVED_MILLISECONDS),
                lambda model: concerns(event, model),
            )
            logger.info("fanned_out", extra={"started": report.started, "goes_on_after": report.goes_on_after})
            return {"started": report.started, "is_complete": report.goes_on_after is None}

        return dispatching

    return decorate


def share_out(event: dict[str, Any], model: str, shares: int, function_name: str) -> None:
    """Start the function once for each share of a model's work. Raises Unavailable; doing it again is safe."""
    started = invocations(function_name)
    for share in range(shares):
        started.start(addressed(event, model=model, share=share))
    logger.info("shared_out", extra={"model": model, "shares": shares})


def invocations(function_name: str) -> LambdaBackground:
    """Build the asynchronous invocations of a function."""
    return LambdaBackground(function_name, clients.client("lambda"))


def _fan_out(function_name: str) -> FanOut:
    return FanOut(invocations=invocations(function_name), clock=time.monotonic, pause=time.sleep)
