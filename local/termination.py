"""SIGTERM handled as Ctrl-C: processes started by a with block are stopped before the program ends."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

TERMINATED = 128 + signal.SIGTERM


@contextmanager
def unwound_on_termination() -> Iterator[None]:
    """Let SIGTERM raise SystemExit within a with block; a job that runs in the background gets no SIGINT.

    Another handler stays as it is, and a thread other than the main one can have none.
    """
    is_free = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if not is_free or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    # Stopping takes a moment; a second signal must not interrupt it.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(TERMINATED)
