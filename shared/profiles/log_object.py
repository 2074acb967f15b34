"""One object of the log of predictions, profiled hour by hour."""

import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import msgspec

from shared.configuration.features import Feature
from shared.configuration.metrics import Task
from shared.errors import UnreadableObject
from shared.lake import PREDICTIONS, Lake
from shared.profiles.build import profile_rows
from shared.profiles.hour import LogPiece, short_hash

_KEY = re.compile(rf"{PREDICTIONS}/model=(?P<model>[^/]+)/date=(?P<day>\d{{4}}-\d\d-\d\d)/(?P<name>[^/]+)")
_GZIP_MAGIC = b"\x1f\x8b"
_HOUR = slice(len("2026-03-01T"), len("2026-03-01T05"))
_decode_lines = msgspec.json.Decoder(dict[str, Any]).decode_lines


@dataclass(frozen=True, slots=True)
class LogDay:
    """The day of a model's log that an object belongs to."""

    model: str
    day: date

    @classmethod
    def of(cls, key: str) -> Self | None:
        """Return the day of an object's key, None if it is none of the log.

        >>> LogDay.of("predictions/model=bike-demand/date=2026-03-01/1.jsonl.gz")
        LogDay(model='bike-demand', day=datetime.date(2026, 3, 1))
        """
        found = _KEY.fullmatch(key)
        return cls(found["model"], date.fromisoformat(found["day"])) if found else None


@dataclass(frozen=True, slots=True)
class Reading:
    """What of a row is profiled."""

    declared: Mapping[str, Feature]
    task: Task


@dataclass(frozen=True, slots=True, eq=False)
class LogObject:
    """An object of the log: the profiles of its rows by hour of the day (``05``)."""

    key: str
    tag: str
    rows: int
    pieces: Mapping[str, LogPiece]


def read_log_object(lake: Lake, key: str, reading: Reading, only_hour: str | None = None) -> LogObject:
    """Return an object of the log, of which only one hour may be wanted; a prediction in it twice counts once.

    Raises NotFound, and UnreadableObject where it holds anything but rows of predictions.
    """
    content, tag = lake.read_tagged(key)
    by_hour: dict[str, dict[str, list[dict[str, Any]]]] = {}
    try:
        for row in _once(content):
            hour, version = row["occurred_at"][_HOUR], row["model_version"]
            if only_hour in {None, hour}:
                by_hour.setdefault(hour, {}).setdefault(version, []).append(row)
    except (KeyError, TypeError) as error:
        raise UnreadableObject(f"{key} holds a row that is no prediction") from error
    return LogObject(
        key,
        tag,
        sum(len(rows) for by_version in by_hour.values() for rows in by_version.values()),
        {
            hour: LogPiece(
                short_hash(key),
                tag_hash(tag),
                {version: profile_rows(rows, reading.declared, reading.task) for version, rows in by_version.items()},
            )
            for hour, by_version in by_hour.items()
        },
    )


def tag_hash(tag: str) -> int:
    """Return what is remembered of an object's tag, which comes with or without quotes."""
    return short_hash(tag.strip('"'))


def _once(content: bytes) -> list[dict[str, Any]]:
    try:
        plain = gzip.decompress(content) if content[:2] == _GZIP_MAGIC else content
        rows = _decode_lines(plain)
    except (EOFError, OSError, zlib.error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableObject(f"an object of the log is damaged: {error}") from error
    return list({row["prediction_id"]: row for row in rows}.values())
