"""The report of a model's quarantine: the counts by reason, and the newest rows."""

import heapq
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import NotFound
from hindsight.core.times import format_time
from hindsight.lake.object_store import QUARANTINE, Lake, day_prefix, model_prefix
from hindsight.quarantine.store import UNREADABLE, QuarantinedRow, parse_key

MAX_OBJECTS = 200
MAX_ROWS = 50_000
# Of one object: eight are held at a time, and a whole feedback file may be in one.
MAX_ROWS_OF_ONE = 5_000
# The caller waits: rows not read by then are not counted.
MAX_SECONDS = 8.0
MAX_KEYS = 20_000
MAX_SHOWN = 2_000
_READERS = 8
_SPANS = (1, 4, 16, 64, 256, 1024, None)


@dataclass(frozen=True, slots=True)
class QuarantineReports:
    """The reader of quarantine, at most its newest rows, in bounded time and memory; ``clock`` counts seconds."""

    lake: Lake
    configurations: ConfigurationStore
    clock: Callable[[], float]

    def newest(self, model: str, limit: int, now: datetime) -> dict[str, Any]:
        """Count rejects by code and list the newest rows, each once; ``capped``: older ones were not read.

        Raises NotFound for a model that neither exists nor has anything in quarantine.
        """
        until = self.clock() + MAX_SECONDS
        keys, capped = self._newest_keys(model, now)
        if not keys:
            require_model(self.configurations, model)
        seen: set[str] = set()
        counts: Counter[str] = Counter()
        newest: list[tuple[str, str, QuarantinedRow]] = []
        for number, row in enumerate(self._rows(keys, until)):
            if number == MAX_ROWS or row is None:
                capped = True
                break
            if row.identity in seen:
                continue
            seen.add(row.identity)
            counts[row.code.value] += 1
            entry = (received(row), row.identity, row)
            if len(newest) < limit:
                heapq.heappush(newest, entry)
            else:
                heapq.heappushpop(newest, entry)
        shown = [_shown(row) for _, _, row in sorted(newest, reverse=True)]
        return {"counts": dict(sorted(counts.items())), "capped": capped, "rows": shown}

    def _newest_keys(self, model: str, now: datetime) -> tuple[list[str], bool]:
        """List the keys of the newest objects, newest first, and whether there are older ones.

        S3 lists the oldest first, so that ever longer spans of days are listed until they hold enough.
        """
        newest: list[str] = []
        for days in _SPANS:
            first = day_prefix(QUARANTINE, model, (now - timedelta(days=days)).date()) if days else ""
            found, listed_all = self._listed(model, first)
            if listed_all or not newest:
                newest = found
            if len(found) > MAX_OBJECTS or not listed_all:
                return newest[: -MAX_OBJECTS - 1 : -1], True
        return newest[::-1], False

    def _listed(self, model: str, first: str) -> tuple[list[str], bool]:
        last: deque[str] = deque(maxlen=MAX_OBJECTS + 1)
        for number, key in enumerate(self.lake.keys(model_prefix(QUARANTINE, model), after=first)):
            if number == MAX_KEYS:
                return list(last), False
            last.append(key)
        return list(last), True

    def _rows(self, keys: Sequence[str], until: float) -> Iterator[QuarantinedRow | None]:
        """Read the rows of objects, those of a large one in part; None is the last where some were left out."""
        is_cut = False
        with ThreadPoolExecutor(_READERS) as readers:
            for start in range(0, len(keys), _READERS):
                if self.clock() > until:
                    is_cut = True
                    break
                for rows in readers.map(self._first_rows, keys[start : start + _READERS]):
                    yield from rows[:MAX_ROWS_OF_ONE]
                    is_cut = is_cut or len(rows) > MAX_ROWS_OF_ONE
        if is_cut:
            yield None

    def _first_rows(self, key: str) -> list[QuarantinedRow]:
        return list(islice(iterate_rows(self.lake, key), MAX_ROWS_OF_ONE + 1))


def require_model(configurations: ConfigurationStore, model: str) -> None:
    """Raise NotFound for a model that is not configured; what names no readable model belongs to all."""
    if model != UNREADABLE:
        configurations.newest(model)


def received(row: QuarantinedRow) -> str:
    """Compute when a row was received, or at least on which day, as text that sorts."""
    return format_time(row.received_at) if row.received_at else row.day.isoformat()


def rows_in(lake: Lake, key: str) -> list[QuarantinedRow]:
    """Read the rows of one object, none if it is gone."""
    return list(iterate_rows(lake, key))


def iterate_rows(lake: Lake, key: str) -> Iterator[QuarantinedRow]:
    """Read the rows of one object without holding it, none if it is gone."""
    described = parse_key(key)
    if described is None:
        return
    try:
        for row in lake.read_lines(key):
            yield QuarantinedRow.from_json(row, described.day)
    except NotFound:
        return


def _shown(row: QuarantinedRow) -> dict[str, Any]:
    shown = {**row.to_json(), "day": row.day.isoformat()}
    if row.text is not None and len(row.text) > MAX_SHOWN:
        shown.update(text=row.text[:MAX_SHOWN], truncated=True)
    return shown
