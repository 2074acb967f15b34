"""Batches of values: as many as one request, or the memory, has room for."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """Divide values into lists of at most ``size``."""
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def batches(values: Iterable[T], size: Callable[[T], int], *, room: int, most: int | None = None) -> Iterator[list[T]]:
    """Divide values into lists whose sizes add up to at most ``room``, of at most so many; a larger one is alone.

    >>> list(batches(["a", "bcd", "ef", "ghijkl"], len, room=4))
    [['a', 'bcd'], ['ef'], ['ghijkl']]
    """
    batch, taken = list[T](), 0
    for value in values:
        more = size(value)
        if batch and (len(batch) == most or taken + more > room):
            yield batch
            batch, taken = [], 0
        batch.append(value)
        taken += more
    if batch:
        yield batch
