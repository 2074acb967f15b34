"""Rows of many small objects of the lake, a few read ahead: reading them waits for answers, not for bytes."""

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from itertools import islice
from typing import Any

from hindsight.core.errors import NotFound, UnreadableObject
from hindsight.lake.object_store import Lake, day_prefix, keys_between, partition_of
from hindsight.lake.pack import is_mark, unzipped

_READERS = 8

# A condition on a row's line, before it is decoded.
Wanted = Callable[[bytes], bool]


def every_line(_line: bytes) -> bool:
    """Want every line."""
    return True


def rows_between(lake: Lake, kind: str, model: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """Read a model's rows of every day that a span touches, day after day, a few dozen objects held at a time.

    Small objects may be merged while they are read: those that are gone are in one that was written before they went,
    so that another look finds it. A row may then come twice.
    """
    read = set[str]()
    while True:
        fresh = (key for key in keys_between(lake, kind, model, start, end) if key not in read)
        gone = yield from _rows_of(lake, fresh, read)
        if not gone:
            return


def days_newest_first(
    lake: Lake, kind: str, model: str, start: datetime, end: datetime, *, wanted: Wanted = every_line
) -> Iterator[tuple[date, Iterator[dict[str, Any]]]]:
    """Read the rows of each day that a span touches and that has some, newest day first, as ``rows_between`` does.

    One listing for the whole span; a day's rows are read as they are taken, those whose line is ``wanted``.
    """
    by_day = dict[date, list[str]]()
    for key in keys_between(lake, kind, model, start, end):
        if (day := partition_of(key, kind, model)) is not None:
            by_day.setdefault(day, []).append(key)
    for day in sorted(by_day, reverse=True):
        yield day, _rows_of_day(lake, day_prefix(kind, model, day), by_day[day], wanted)


def _rows_of_day(lake: Lake, prefix: str, keys: Iterable[str], wanted: Wanted) -> Iterator[dict[str, Any]]:
    read = set[str]()
    while (yield from _rows_of(lake, keys, read, wanted)):
        keys = (key for key in lake.keys(prefix) if key not in read)


def _rows_of(
    lake: Lake, keys: Iterable[str], read: set[str], wanted: Wanted = every_line
) -> Generator[dict[str, Any], None, bool]:
    """Read the wanted rows of objects, note which were read, and report whether any was gone."""
    remaining, gone = iter(keys), False
    with ThreadPoolExecutor(_READERS) as readers:
        while batch := list(islice(remaining, 4 * _READERS)):
            read.update(batch)
            for key, content in zip(batch, readers.map(lambda key: _content(lake, key), batch), strict=True):
                if content is None:
                    gone = True
                else:
                    yield from _rows_in(key, content, wanted)
    return gone


def _rows_in(key: str, content: bytes, wanted: Wanted) -> Iterator[dict[str, Any]]:
    try:
        for line in unzipped(key, content).split(b"\n"):
            if line.strip() and not is_mark(line) and wanted(line):
                yield json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UnreadableObject(f"{key} is damaged: {type(error).__name__}") from error


def _content(lake: Lake, key: str) -> bytes | None:
    try:
        return lake.read_bytes(key)
    except NotFound:
        return None
