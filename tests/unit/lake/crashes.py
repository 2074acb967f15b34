"""A lake that crashes at a given change."""

from collections.abc import Callable

from hindsight.testing.aws.lake import InMemoryLake


class Crash(Exception):
    """The end of a process."""


class CrashingLake(InMemoryLake):
    """A lake that crashes at the ``left``-th change, before it, or after it where ``is_done_first``; 0 for never."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        super().__init__()
        self.objects = dict(objects or {})
        self.left, self.is_done_first = 0, False

    def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
        self._change(lambda: InMemoryLake.write_bytes(self, key, content, content_type))

    def delete(self, key: str) -> None:
        self._change(lambda: InMemoryLake.delete(self, key))

    def _change(self, change: Callable[[], None]) -> None:
        self.left -= 1
        if self.left == 0 and not self.is_done_first:
            raise Crash
        change()
        if self.left == 0:
            raise Crash
