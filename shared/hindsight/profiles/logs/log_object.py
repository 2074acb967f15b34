"""Objects of the log of predictions, profiled hour by hour: as the stream wrote them, alone or in a pack."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import msgspec

from hindsight.config.features import Feature
from hindsight.config.metrics import Task
from hindsight.core.errors import UnreadableObject
from hindsight.lake.object_store import PREDICTIONS, parse_day
from hindsight.lake.pack import Part, parts_of
from hindsight.profiles.build import profile_rows
from hindsight.profiles.logs.hour import MAX_VERSIONS, OTHER_VERSIONS, LogPiece, short_hash
from hindsight.profiles.profile import Profile

_KEY = re.compile(rf"{PREDICTIONS}/model=(?P<model>[^/]+)/date=(?P<day>\d{{4}}-\d\d-\d\d)/(?P<name>[^/]+)")
_HOUR = slice(len("2026-03-01T"), len("2026-03-01T05"))
_decode_line = msgspec.json.Decoder(dict[str, Any]).decode

Row = dict[str, Any]


class _Moment(msgspec.Struct):
    occurred_at: str


_decode_moments = msgspec.json.Decoder(_Moment).decode_lines


@dataclass(frozen=True, slots=True)
class LogDay:
    """The day of a model's log that an object belongs to."""

    model: str
    day: date

    @classmethod
    def of(cls, key: str) -> Self | None:
        """Parse an object's key, None if it is not of the log.

        >>> LogDay.of("predictions/model=bike-demand/date=2026-03-01/1.jsonl.gz")
        LogDay(model='bike-demand', day=datetime.date(2026, 3, 1))
        """
        found = _KEY.fullmatch(key)
        day = parse_day(found["day"]) if found else None
        return cls(found["model"], day) if found and day else None


@dataclass(frozen=True, slots=True)
class RowProfiler:
    """The profiler of rows: of their declared features, scores and decisions."""

    declared: Mapping[str, Feature]
    task: Task

    def by_version(self, rows: Mapping[str, list[Row]]) -> dict[str, Profile]:
        """Profile rows by the version that made them; those of the versions that no hour has room for as one."""
        if len(rows) > MAX_VERSIONS:
            busiest = sorted(rows, key=lambda version: (-len(rows[version]), version))
            others = [row for version in busiest[MAX_VERSIONS:] for row in rows[version]]
            rows = {**{version: rows[version] for version in busiest[:MAX_VERSIONS]}, OTHER_VERSIONS: others}
        return {version: profile_rows(found, self.declared, self.task) for version, found in rows.items()}


@dataclass(frozen=True, slots=True, eq=False)
class LogObject:
    """An object of the log: the profiles of its rows by hour of the day (``05``); ``digest`` is of its content."""

    key: str
    digest: int
    rows: int
    pieces: Mapping[str, LogPiece]


@dataclass(frozen=True, slots=True)
class LogPart:
    """An object of the log that has been read but not profiled."""

    part: Part
    digest: int

    @property
    def key(self) -> str:
        """The key the stream wrote it under."""
        return self.part.member.key

    @property
    def name(self) -> int:
        """The hash by which an hour knows it."""
        return short_hash(self.key)

    def hours(self) -> set[str]:
        """List the hours of the day it has rows of. Raises UnreadableObject."""
        try:
            return {found.occurred_at[_HOUR] for found in _decode_moments(self.part.content)}
        except msgspec.MsgspecError as error:
            raise UnreadableObject(f"{self.key} holds a row that is no prediction") from error

    def rows(self) -> Iterator[tuple[str, str, Row]]:
        """Parse its rows with their hours and versions; a prediction in it twice comes once.

        Raises UnreadableObject where it holds anything but rows of predictions.
        """
        try:
            once = {row["prediction_id"]: row for row in map(_decode_line, self.part.lines)}
            for row in once.values():
                yield row["occurred_at"][_HOUR], row["model_version"], row
        except (KeyError, TypeError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnreadableObject(f"{self.key} holds a row that is no prediction") from error

    def profiled(self, profiler: RowProfiler) -> LogObject:
        """Profile its rows. Raises UnreadableObject."""
        by_hour: dict[str, dict[str, list[Row]]] = {}
        count = 0
        for hour, version, row in self.rows():
            by_hour.setdefault(hour, {}).setdefault(version, []).append(row)
            count += 1
        pieces = {hour: LogPiece(self.name, self.digest, profiler.by_version(found)) for hour, found in by_hour.items()}
        return LogObject(self.key, self.digest, count, pieces)


def log_parts(key: str, content: bytes) -> Iterator[LogPart]:
    """Parse the objects of the log that an object of the lake holds. Raises UnreadableObject."""
    for part in parts_of(key, content):
        yield LogPart(part, content_digest(part.lines))


def content_digest(lines: Iterable[bytes]) -> int:
    """Compute the 64 bits by which an hour knows an object's content, however that was stored.

    An entity tag would not do: of equal bytes under a customer's key it is another one every time.
    """
    digest = hashlib.blake2b(digest_size=8)
    for line in lines:
        digest.update(line)
        digest.update(b"\n")
    return int.from_bytes(digest.digest(), "little")
