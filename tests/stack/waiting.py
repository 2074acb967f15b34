"""Waiting for what a running stack does in its own time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from local.client import StackClient

PATIENCE_SECONDS = 120.0

Seen = TypeVar("Seen")


def eventually(look: Callable[[], Seen], seconds: float = PATIENCE_SECONDS) -> Seen:
    """Wait for a result that is not empty."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)
    return seen


@contextmanager
def timeout(client: StackClient, function: str, seconds: int) -> Iterator[None]:
    """Give a function another timeout for a while: what it does when time runs short is seen at once."""
    lambdas, name = client.aws("lambda"), client.stack.outputs[f"{function}Function"]
    before = lambdas.get_function_configuration(FunctionName=name)["Timeout"]
    lambdas.update_function_configuration(FunctionName=name, Timeout=seconds)
    try:
        yield
    finally:
        lambdas.update_function_configuration(FunctionName=name, Timeout=before)
