"""Rows of many small objects of the lake, a few read ahead: reading them waits for answers, not for bytes."""

import gzip
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from shared.lake import Lake

_READERS = 8
_GZIP_MAGIC = b"\x1f\x8b"


def rows_of(lake: Lake, keys: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of JSON lines, gzipped or plain, object after object in the order of the keys.

    Holds no more than a few dozen objects at a time. Raises NotFound.
    """
    remaining = iter(keys)
    with ThreadPoolExecutor(_READERS) as readers:
        while batch := list(islice(remaining, 4 * _READERS)):
            for content in readers.map(lake.read_bytes, batch):
                plain = gzip.decompress(content) if content[:2] == _GZIP_MAGIC else content
                yield from (json.loads(line) for line in plain.split(b"\n") if line.strip())
