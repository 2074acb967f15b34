"""A lake in memory, judged by the same contract suite as S3Lake."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared import compact_json
from shared.errors import NotFound


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

    def write_bytes(self, key: str, content: bytes, content_type: str) -> None:
        self.objects[key] = content

    def read_bytes(self, key: str) -> bytes:
        try:
            return self.objects[key]
        except KeyError as error:
            raise NotFound(f"the object {key} does not exist") from error

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(prefix) and key > after)
