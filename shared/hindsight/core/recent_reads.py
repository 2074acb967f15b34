"""Small reads of calls, shared where calls come fast: one item of a table cannot be read at any rate."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

EVERY_SECONDS = 0.5
"""The greatest age of a value in a busy process: twice a second, a thousand processes stay below an item's limit."""

BURST = 10
MAX_KEYS = 1000


@dataclass(slots=True)
class _LastRead(Generic[T]):
    """The last value, and the number of free reads at a moment."""

    value: T
    free: float
    at: float


class RecentReads(Generic[T]):
    """A reader of values by key: at every call, or in a busy process only every so many seconds.

    A table serves an item some 3,000 times a second, at any capacity of the table. Reads accrue, one in
    ``every`` seconds and ``burst`` at most: a rare call gets a fresh value, frequent calls one that is at most that
    old. A missing value, or one that could not be read, is read again each time.

    >>> moments, reads = iter([0.0, 0.0, 0.1, 0.2, 0.6]), iter("abc")
    >>> recent = RecentReads(lambda key: next(reads), clock=lambda: next(moments), every=0.5, burst=1)
    >>> [recent("model") for _ in range(5)]
    ['a', 'b', 'b', 'b', 'c']
    """

    def __init__(
        self,
        read: Callable[[str], T],
        clock: Callable[[], float],
        *,
        every: float = EVERY_SECONDS,
        burst: int = BURST,
    ) -> None:
        self._read = read
        self._clock = clock
        self._every = every
        self._burst = burst
        self._held: OrderedDict[str, _LastRead[T]] = OrderedDict()

    def __call__(self, key: str) -> T:
        """Read the value of a key; raises what reading it raises."""
        now = self._clock()
        held = self._held.get(key)
        free = float(self._burst) if held is None else self._accrued(held, now)
        if held is not None and free < 1:
            return held.value
        value = self._read(key)
        if value is None:
            self._held.pop(key, None)
            return value
        self._held[key] = _LastRead(value, free if held is None else free - 1, now)
        self._held.move_to_end(key)
        while len(self._held) > MAX_KEYS:
            self._held.popitem(last=False)
        return value

    def _accrued(self, held: _LastRead[T], now: float) -> float:
        # A clock that was set back must not keep what is held for longer.
        if now < held.at:
            return float(self._burst)
        return min(float(self._burst), held.free + (now - held.at) / self._every)
