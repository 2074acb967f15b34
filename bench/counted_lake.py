"""A lake in a folder that counts what it is asked for."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.folder_lake import FolderLake
from hindsight.adapters.aws.s3_lake import gzip_lines
from hindsight.core.errors import NotFound
from hindsight.lake.object_store import Entry, TaggedObject
from hindsight.lake.pack import is_mark, unzipped

PAGE = 1_000  # keys that S3 lists in one call


class CountedLake(FolderLake):
    """The objects of a folder; ``requests`` counts what S3 would have been asked, ``written`` objects by kind."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.requests = Counter[str]()
        self.written = Counter[str]()

    def write_lines(self, key: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Store rows as gzipped JSON lines."""
        self.write_bytes(key, gzip_lines(rows), "application/x-ndjson")

    def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
        """Store bytes."""
        self.requests["put"] += 1
        self.written[key.partition("/")[0]] += 1
        super().write_bytes(key, content, content_type)

    def replace_bytes(self, key: str, content: bytes, content_type: str, *, expected: str | None) -> bool:
        """Store bytes if the key still holds what has the expected tag."""
        try:
            held: str | None = _tag(super().read_bytes(key))
        except NotFound:
            held = None
        if held != expected:
            return False
        self.write_bytes(key, content, content_type)
        return True

    def read_bytes(self, key: str) -> bytes:
        """Read an object's bytes. Raises NotFound."""
        self.requests["get"] += 1
        return super().read_bytes(key)

    def read_tagged(self, key: str) -> TaggedObject:
        """Read an object's bytes and their tag. Raises NotFound."""
        content = self.read_bytes(key)
        return TaggedObject(content, _tag(content))

    def read_lines(self, key: str) -> Iterator[dict[str, Any]]:
        """Read the rows of JSON lines."""
        lines = unzipped(key, self.read_bytes(key)).split(b"\n")
        yield from (json.loads(line) for line in lines if line and not is_mark(line))

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """List the keys that start with a prefix and sort after a text, sorted."""
        yield from self._listed(super().keys(prefix, after))

    def tags(self, prefix: str) -> Iterator[tuple[str, str]]:
        """List the keys that start with a prefix with the tags of what they hold."""
        yield from ((found.key, found.tag) for found in self.entries(prefix))

    def entries(self, prefix: str, after: str = "") -> Iterator[Entry]:
        """List the objects whose keys start with a prefix and sort after a text."""
        for key in self.keys(prefix, after):
            path = self._folder / key
            found = path.stat()
            written_at = datetime.fromtimestamp(found.st_mtime, UTC)
            yield Entry(key, _tag(path.read_bytes()), found.st_size, written_at)

    def delete(self, key: str) -> None:
        """Remove an object."""
        (self._folder / key).unlink(missing_ok=True)

    def remove(self, prefix: str, tags: Mapping[str, str]) -> None:
        """Remove objects under a prefix that still have their tags."""
        for key, tag in list(self.tags(prefix)):
            if tags.get(key) == tag:
                self.delete(key)

    def count(self, prefix: str) -> int:
        """Count the objects under a prefix, asking for nothing."""
        return sum(1 for _ in super().keys(prefix))

    def _listed(self, keys: Iterable[str]) -> Iterator[str]:
        place = -1
        for place, key in enumerate(keys):
            if place % PAGE == 0:
                self.requests["list"] += 1
            yield key
        if place < 0:
            self.requests["list"] += 1


def _tag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
