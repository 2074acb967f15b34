"""The output of functions: counted, and read for embedded metrics."""

import io
import json
from collections import deque
from collections.abc import Callable
from typing import Any


class Output(io.TextIOBase):
    """The output of functions: counted, and read for embedded metrics."""

    def __init__(self) -> None:
        self.bytes = 0
        self.newest: deque[str] = deque(maxlen=20)
        self.on_metrics: Callable[[dict[str, Any]], None] = lambda _: None

    def write(self, text: str) -> int:
        """Count a line, and note the metrics in it."""
        self.bytes += len(text.encode())
        self.newest.append(text)
        for line in text.splitlines():
            if line.startswith('{"_aws"'):
                self.on_metrics(json.loads(line))
        return len(text)

    def writable(self) -> bool:
        """Accept text."""
        return True
