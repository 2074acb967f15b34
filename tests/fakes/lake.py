"""A lake in memory, judged by the same contract suite as S3Lake."""

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from shared import compact_json
from shared.bounded_lines import BoundedLine, bounded_lines
from shared.errors import NotFound, UnreadableObject
from shared.lake import Tagged


class InMemoryLake:
    """Objects in a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def write_lines(self, key: str, rows: Iterable[Mapping[str, Any]]) -> None:
        self.objects[key] = b"".join(compact_json.dumps(row).encode() + b"\n" for row in rows)

    def read_lines(self, key: str) -> Iterator[dict[str, Any]]:
        for line in self.read_raw_lines(key):
            yield json.loads(line)

    def read_raw_lines(self, key: str) -> Iterator[bytes]:
        yield from (line + b"\n" for line in self.read_bytes(key).split(b"\n") if line.strip())

    def read_bounded_lines(self, key: str, *, max_line: int, max_total: int) -> Iterator[BoundedLine]:
        content = self.read_bytes(key)
        try:
            plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UnreadableObject("the file cannot be unzipped") from error
        yield from bounded_lines(io.BytesIO(plain), max_line=max_line, max_total=max_total)

    def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
        self.objects[key] = content

    def link(self, key: str, lasts: timedelta) -> str:
        return f"https://lake.example/{key}?lasts={lasts.total_seconds():.0f}"

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

    def read_tagged(self, key: str) -> Tagged:
        content = self.read_bytes(key)
        return Tagged(content, _tag(content))

    def replace_bytes(self, key: str, content: bytes, content_type: str, *, expected: str | None) -> bool:
        held = self.objects.get(key)
        if (None if held is None else _tag(held)) != expected:
            return False
        self.write_bytes(key, content, content_type)
        return True

    def tags(self, prefix: str) -> Iterator[tuple[str, str]]:
        yield from ((key, _tag(self.objects[key])) for key in self.keys(prefix))

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def remove(self, prefix: str, tags: Mapping[str, str]) -> None:
        for key, tag in list(self.tags(prefix)):
            if tags.get(key) == tag:
                self.delete(key)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(prefix) and key > after)


def _tag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
