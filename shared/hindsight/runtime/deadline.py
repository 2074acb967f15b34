"""The deadline of an invocation, which work in a loop keeps to."""

from collections.abc import Callable

from aws_lambda_powertools.utilities.typing import LambdaContext


def time_left(context: LambdaContext, reserved_milliseconds: int) -> Callable[[], bool]:
    """Build the check that an invocation has more time left than it reserves for its last step."""
    return lambda: context.get_remaining_time_in_millis() > reserved_milliseconds
