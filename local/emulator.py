"""The program of the embedded AWS that keeps what it holds: it writes its state again and again, not only at its end.

What a crash costs is then what came in since the last time. Run by ``Server``; by itself it is of no use.
"""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# Saving takes a twentieth of the time at most, for any amount of state.
_PAUSE_SECONDS = 10.0
_PAUSES_OF_A_SAVE = 20
_ATTEMPTS = 5

States = Mapping[str, Callable[[], Any]]


class StateSaver:
    """The one writer of the state: while it saves, the server's own last save waits."""

    def __init__(self, write: Callable[[str, Any], None]) -> None:
        self._write = write
        self._turn = threading.Lock()

    def save(self, states: States) -> None:
        """Write the state of every service; one that keeps changing meanwhile keeps what was written before."""
        with self._turn:
            for name, read in states.items():
                state = _unchanging(read)
                if state is not None:
                    self._write(name, state)

    def save_again_and_again(self, states: Callable[[], States]) -> None:
        """Save for as long as the process lives."""
        pause = _PAUSE_SECONDS
        while True:
            time.sleep(pause)
            began = time.monotonic()
            self.save(states())
            pause = max(_PAUSE_SECONDS, _PAUSES_OF_A_SAVE * (time.monotonic() - began))


def _unchanging(read: Callable[[], Any]) -> Any:
    """Read a state; None if a request changed it at every attempt."""
    for _ in range(_ATTEMPTS):
        try:
            return read()
        except RuntimeError:  # a dictionary that changed while it was copied
            continue
    return None


def main() -> None:
    """Run the embedded AWS with its saver."""
    # Functions inherit the environment, and must not find the checkout: so PYTHONPATH does not name it.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from ministack import app  # noqa: PLC0415  only the server itself pays for importing it
    from ministack.core.persistence import save_state  # noqa: PLC0415

    from local import gateway_rules  # noqa: PLC0415

    gateway_rules.install()
    saver = StateSaver(save_state)
    app.save_all = saver.save
    states = app._build_persistence_save_dict
    threading.Thread(target=saver.save_again_and_again, args=(states,), daemon=True).start()
    app.main()


if __name__ == "__main__":
    main()
