"""Rows of many small objects of the lake, a few read ahead: reading them waits for answers, not for bytes."""

import json
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from functools import partial
from typing import Any

from hindsight.core.batches import chunks
from hindsight.core.errors import UnreadableObject
from hindsight.lake.object_store import Lake, day_prefix, keys_between, partition_of, read_if_present
from hindsight.lake.pack import is_mark, unzipped

_READERS = 8

# A condition on a row's line, before it is decoded.
Wanted = Callable[[bytes], bool]


def days_newest_first(
    lake: Lake, kind: str, model: str, start: datetime, end: datetime, *, wanted: Wanted = lambda _: True
) -> Iterator[tuple[date, Iterator[dict[str, Any]]]]:
    """Read the rows of each day that a span touches and that has some, newest day first.

    One listing for the whole span; a day's rows are read as they are taken, those whose line is ``wanted``. Small
    objects may be merged while they are read: those that are gone are in one that was written before they went, so that
    another look finds it. A row may then come twice.
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


def _rows_of(lake: Lake, keys: Iterable[str], read: set[str], wanted: Wanted) -> Generator[dict[str, Any], None, bool]:
    """Read the wanted rows of objects, note which were read, and report whether any was gone."""
    gone = False
    for key, content in read_ahead(lake, keys):
        read.add(key)
        if content is None:
            gone = True
        else:
            yield from _rows_in(key, content, wanted)
    return gone


def read_ahead(lake: Lake, keys: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
    """Read objects by their keys, in order, a few dozen ahead; None for one that is gone."""
    with ThreadPoolExecutor(_READERS) as readers:
        for batch in chunks(keys, 4 * _READERS):
            yield from zip(batch, readers.map(partial(read_if_present, lake), batch), strict=True)


def _rows_in(key: str, content: bytes, wanted: Wanted) -> Iterator[dict[str, Any]]:
    try:
        for line in unzipped(key, content).split(b"\n"):
            if line.strip() and not is_mark(line) and wanted(line):
                yield json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UnreadableObject(f"{key} is damaged: {type(error).__name__}") from error
