"""Retries: attempts at a change that another writer may overtake, with a pause that grows between them."""

from collections.abc import Callable
from typing import TypeVar

from hindsight.core.errors import HindsightError

T = TypeVar("T")
MAX_ATTEMPTS = 10


class Overtaken(Exception):
    """Another writer changed what an attempt had read."""


def optimistic(
    attempt: Callable[[], T],
    *,
    otherwise: HindsightError,
    pause: Callable[[int], None] = lambda _: None,
    max_attempts: int = MAX_ATTEMPTS,
) -> T:
    """Run an attempt until another writer no longer overtakes it.

    ``attempt`` reads, changes and writes under a condition, and raises Overtaken where the condition refused the
    write. ``pause`` is called with 0, 1, … after the first, second, … attempt. Raises ``otherwise`` after
    ``max_attempts``.

    >>> counts = iter([1, 2, 3])
    >>> def attempt() -> int:
    ...     if (count := next(counts)) < 3:
    ...         raise Overtaken
    ...     return count
    >>> optimistic(attempt, otherwise=HindsightError("busy"))
    3
    """
    for number in range(max_attempts):
        try:
            return attempt()
        except Overtaken:
            pause(number)
    raise otherwise
