"""Retries: changes that another writer may overtake and batches taken in part, with growing pauses between."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from hindsight.core.errors import HindsightError

T = TypeVar("T")
E = TypeVar("E")
MAX_ATTEMPTS = 10


class Overtaken(Exception):
    """An attempt came to nothing, as another writer changed what it had read, or the service was busy."""


def optimistic(
    attempt: Callable[[], T],
    *,
    otherwise: HindsightError,
    pause: Callable[[int], None] = lambda _: None,
    max_attempts: int = MAX_ATTEMPTS,
) -> T:
    """Run an attempt until another writer no longer overtakes it.

    ``attempt`` reads, changes and writes under a condition, and raises Overtaken where the condition refused the
    write. ``pause`` is called with 0, 1, … between the attempts. Raises ``otherwise`` after ``max_attempts``.

    >>> counts = iter([1, 2, 3])
    >>> def attempt() -> int:
    ...     if (count := next(counts)) < 3:
    ...         raise Overtaken
    ...     return count
    >>> optimistic(attempt, otherwise=HindsightError("busy"))
    3
    """
    for number in range(max_attempts):
        if number:
            pause(number - 1)
        with suppress(Overtaken):
            return attempt()
    raise otherwise


def send_all(
    send: Callable[[list[E]], list[E]],
    entries: list[E],
    *,
    otherwise: HindsightError,
    pause: Callable[[int], None] = lambda _: None,
    max_attempts: int = MAX_ATTEMPTS,
) -> None:
    """Send the entries of a batch until none is left.

    ``send`` returns those that the service did not take, which alone are sent again: a batch call succeeds even if
    entries fail. Raises ``otherwise`` after ``max_attempts``.

    >>> sent = []
    >>> def send(entries: list[int]) -> list[int]:
    ...     sent.extend(entries)
    ...     return entries[1:]
    >>> send_all(send, [1, 2], otherwise=HindsightError("busy"))
    >>> sent
    [1, 2, 2]
    """
    left = entries

    def attempt() -> None:
        nonlocal left
        left = send(left)
        if left:
            raise Overtaken

    optimistic(attempt, otherwise=otherwise, pause=pause, max_attempts=max_attempts)
