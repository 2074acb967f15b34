"""Waiting for what a running stack does in its own time."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 120.0

Seen = TypeVar("Seen")


def eventually(look: Callable[[], Seen], seconds: float = PATIENCE_SECONDS) -> Seen:
    """Return what is seen as soon as it is something."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)
    return seen
