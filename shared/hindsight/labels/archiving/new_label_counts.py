"""New labels as sets of an hour, and as counts of an hour and of a day."""

import hashlib
import struct
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hindsight.core.times import hour_of, microseconds

HOUR = timedelta(hours=1)
MINUTES = 24 * 60
# The labels of one hour that are compared at once: 256 MB. Beyond, a redelivered label may be counted twice.
MAX_TOGETHER = 16_000_000
# Labels that fit in one set of Python's, some 30 MB.
MAX_SET = 250_000

_ENTRY = struct.Struct(">Qq")
_IDENTITIES = 1 << 64
_DAY_MICROSECONDS = 24 * 3600 * 1_000_000
_MINUTE_MICROSECONDS = 60 * 1_000_000
_FIRST_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Arrivals:
    """New labels of a model that the table took within an hour and that came in one batch.

    ``entries`` are 16 bytes each, sorted and distinct: 64 bits of the SHA-256 of the prediction's id, and the moment at
    which the label is both known and due, in microseconds since 1970.
    """

    model: str
    hour: datetime
    entries: bytes

    @property
    def name(self) -> str:
        """The name of these entries among those of their hour: their digest."""
        return hashlib.sha256(self.entries).hexdigest()[:16]

    def __len__(self) -> int:
        return len(self.entries) // _ENTRY.size


@dataclass(frozen=True, slots=True)
class StaleHour:
    """A note that the counts of an hour may lack labels; ``name`` distinguishes notes of one hour."""

    model: str
    hour: datetime
    name: str


@dataclass(frozen=True, slots=True)
class DayCounts:
    """The labels that mature in each minute of a day, of all that arrived in hours before ``settled_until``."""

    day: date
    settled_until: datetime
    minutes: Sequence[int]

    def between(self, after: datetime, until: datetime) -> int:
        """Count the labels that mature in a later minute than ``after`` and no later one than ``until``."""
        return count_between(self.day, self.minutes, after, until)


@dataclass(frozen=True, slots=True)
class HourCounts:
    """The distinct labels that arrived in an hour, by the day and the minute in which they mature."""

    hour: datetime
    days: Mapping[date, Sequence[int]]

    @property
    def version(self) -> str:
        """The digest of the counts: an hour's set only grows, so that equal versions are of equal sets."""
        digest = hashlib.sha256()
        for day in sorted(self.days):
            digest.update(day.isoformat().encode() + array("I", self.days[day]).tobytes())
        return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class NewLabel:
    """One new label: its prediction, its arrival in the table, and the moment at which it is both known and due."""

    model: str
    prediction_id: str
    arrived_at: datetime
    matured_at: datetime

    @property
    def entry(self) -> bytes:
        """The label's identity in 16 bytes: 64 bits for the prediction, and its moment."""
        identity = int.from_bytes(hashlib.sha256(self.prediction_id.encode()).digest()[:8], "big")
        return _ENTRY.pack(identity, microseconds(self.matured_at))


def arrivals_of(labels: Iterable[NewLabel]) -> list[Arrivals]:
    """Group new labels by model and the hour they arrived in."""
    grouped: dict[tuple[str, datetime], set[bytes]] = {}
    for label in labels:
        grouped.setdefault((label.model, hour_of(label.arrived_at)), set()).add(label.entry)
    return [Arrivals(model, hour, b"".join(sorted(found))) for (model, hour), found in grouped.items()]


def day_of(moment: int) -> date:
    """Compute the day of a moment in microseconds since 1970, in UTC."""
    return date.fromordinal(_FIRST_DAY + moment // _DAY_MICROSECONDS)


def count_between(day: date, minutes: Sequence[int], after: datetime, until: datetime) -> int:
    """Count the labels in the minutes of a day after ``after`` up to ``until``."""
    midnight = datetime.combine(day, datetime.min.time(), UTC)
    first, last = ((moment - midnight) // timedelta(minutes=1) for moment in (after, until))
    return sum(minutes[max(first + 1, 0) : max(last + 1, 0)])


def first_between(day: date, minutes: Sequence[int], after: datetime) -> datetime | None:
    """Find the first minute of a day, later than that of a moment, in which something lies."""
    midnight = datetime.combine(day, datetime.min.time(), UTC)
    begin = max((after - midnight) // timedelta(minutes=1) + 1, 0)
    found = next((minute for minute in range(begin, len(minutes)) if minutes[minute]), None)
    return None if found is None else midnight + timedelta(minutes=found)


def counts_of(hour: datetime, arrivals: Iterable[Arrivals]) -> tuple[HourCounts, int]:
    """Count the distinct labels of one hour by day and minute; return how many entries were read as well."""
    rest, minutes, read = iter(arrivals), Counter[int](), 0
    while parts := list(_first(rest, MAX_TOGETHER)):
        read += sum(map(len, parts))
        for moments in distinct_moments(parts):
            minutes.update(moment // _MINUTE_MICROSECONDS for moment in moments)
    days: dict[date, list[int]] = {}
    for minute, number in minutes.items():
        day = date.fromordinal(_FIRST_DAY + minute // MINUTES)
        days.setdefault(day, [0] * MINUTES)[minute % MINUTES] = number
    return HourCounts(hour, days), read


def distinct_moments(parts: Sequence[Arrivals]) -> Iterator[Sequence[int]]:
    """Find the moments of the distinct entries of one hour, in portions of some ``MAX_SET``.

    Entries are sorted by what is a hash: a range of hashes is a slice of each part, and holds its share of them.
    """
    ranges = sum(map(len, parts)) // MAX_SET + 1
    begins = [0] * len(parts)
    for number in range(1, ranges + 1):
        found = set[bytes]()
        for index, part in enumerate(parts):
            entries, end = part.entries, _position(part, number * _IDENTITIES // ranges)
            # Slices, and all moments at once: half the time of pairs of numbers.
            starts = range(begins[index] * _ENTRY.size, end * _ENTRY.size, _ENTRY.size)
            found.update([entries[start : start + _ENTRY.size] for start in starts])
            begins[index] = end
        yield struct.unpack(f">{2 * len(found)}q", b"".join(found))[1::2]


def _position(part: Arrivals, identity: int) -> int:
    """Find the first entry whose identity is not below one."""
    if identity >= _IDENTITIES:
        return len(part)
    return bisect_left(range(len(part)), identity, key=lambda at: _ENTRY.unpack_from(part.entries, at * _ENTRY.size)[0])


def _first(arrivals: Iterator[Arrivals], most: int) -> Iterator[Arrivals]:
    """Take the first arrivals, until together they have too many entries; the one that makes them so is the last."""
    for found in arrivals:
        yield found
        most -= len(found)
        if most <= 0:
            return
