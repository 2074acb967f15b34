"""A lake in memory, judged by the same contract suite as S3Lake."""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hindsight.core import compact_json
from hindsight.core.errors import NotFound, UnreadableObject
from hindsight.lake.bounded_lines import BoundedLine, bounded_lines
from hindsight.lake.object_store import Entry, TaggedObject
from hindsight.lake.pack import is_mark, unzipped

STARTED = datetime(2026, 1, 1, tzinfo=UTC)


class InMemoryLake:
    """Objects in a dictionary; every write is a second after the one before, what was put in directly the oldest."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.written: dict[str, datetime] = {}
        self._writes = 0

    def write_lines(self, key: str, rows: Iterable[Mapping[str, Any]]) -> None:
        self._put(key, b"".join(compact_json.dumps(row).encode() + b"\n" for row in rows))

    def read_lines(self, key: str) -> Iterator[dict[str, Any]]:
        try:
            yield from (json.loads(line) for line in self.read_raw_lines(key) if not is_mark(line))
        except ValueError as error:
            raise UnreadableObject(f"{key} is damaged") from error

    def read_raw_lines(self, key: str) -> Iterator[bytes]:
        plain = unzipped(key, self.read_bytes(key))
        yield from (line + b"\n" for line in plain.split(b"\n") if line.strip())

    def read_bounded_lines(self, key: str, *, max_line: int, max_total: int) -> Iterator[BoundedLine]:
        plain = unzipped(key, self.read_bytes(key))
        yield from bounded_lines(io.BytesIO(plain), max_line=max_line, max_total=max_total)

    def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
        self._put(key, content)

    def link(self, key: str, lasts: timedelta) -> str:
        return f"https://lake.example/{key}?lasts={lasts.total_seconds():.0f}"

    def upload_link(self, key: str, lasts: timedelta) -> str:
        return f"https://lake.example/{key}?put&lasts={lasts.total_seconds():.0f}"

    def read_bytes(self, key: str) -> bytes:
        try:
            return self.objects[key]
        except KeyError as error:
            raise NotFound(f"the object {key} does not exist") from error

    def read_range(self, key: str, start: int, length: int) -> bytes:
        return self.read_bytes(key)[start : start + length]

    def download(self, key: str, path: Path) -> None:
        path.write_bytes(self.read_bytes(key))

    def upload(self, path: Path, key: str, content_type: str) -> None:
        self.write_bytes(key, path.read_bytes(), content_type)

    def read_tagged(self, key: str) -> TaggedObject:
        content = self.read_bytes(key)
        return TaggedObject(content, _tag(content))

    def replace_bytes(self, key: str, content: bytes, content_type: str, *, expected: str | None) -> bool:
        held = self.objects.get(key)
        if (None if held is None else _tag(held)) != expected:
            return False
        self.write_bytes(key, content, content_type)
        return True

    def tags(self, prefix: str) -> Iterator[tuple[str, str]]:
        yield from ((key, _tag(self.objects[key])) for key in self.keys(prefix))

    def entries(self, prefix: str, after: str = "") -> Iterator[Entry]:
        for key, tag in list(self.tags(prefix)):
            if key > after:
                yield Entry(key, tag, len(self.objects[key]), self.written.get(key, STARTED))

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def remove(self, prefix: str, tags: Mapping[str, str]) -> None:
        for key, tag in list(self.tags(prefix)):
            if tags.get(key) == tag:
                self.delete(key)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(prefix) and key > after)

    def _put(self, key: str, content: bytes) -> None:
        self._writes += 1
        self.objects[key] = content
        self.written[key] = STARTED + timedelta(seconds=self._writes)


def _tag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
