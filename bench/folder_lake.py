"""A lake in a folder: what a bench writes in one process and reads in another."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from hindsight.core.errors import NotFound
from hindsight.lake.object_store import Lake


class FolderLake:
    """The objects of a folder, as far as benches need them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
        """Store bytes."""
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def replace_bytes(self, key: str, content: bytes, content_type: str, *, expected: str | None) -> bool:
        """Store bytes where there is nothing yet; the only writer is the bench."""
        if expected is not None or (self._folder / key).exists():
            return False
        self.write_bytes(key, content, content_type)
        return True

    def read_bytes(self, key: str) -> bytes:
        """Read an object's bytes. Raises NotFound."""
        try:
            return (self._folder / key).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"the object {key} does not exist") from error

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Read a range of an object's bytes."""
        with (self._folder / key).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def download(self, key: str, path: Path) -> None:
        """Put an object where a reader of files finds it, without a copy."""
        path.unlink(missing_ok=True)
        os.link(self._folder / key, path)

    def upload(self, path: Path, key: str, content_type: str) -> None:
        """Put a file where objects are, without a copy: it is not written again."""
        (self._folder / key).parent.mkdir(parents=True, exist_ok=True)
        (self._folder / key).unlink(missing_ok=True)
        os.link(path, self._folder / key)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """List the keys that start with a prefix and sort after a text, sorted."""
        start = (self._folder / prefix).parent if not prefix.endswith("/") else self._folder / prefix
        found = (str(path.relative_to(self._folder)) for path in start.rglob("*") if path.is_file())
        yield from sorted(key for key in found if key.startswith(prefix) and key > after)


def folder_lake(folder: Path) -> Lake:
    """Open the lake in a folder."""
    return cast("Lake", FolderLake(folder))
