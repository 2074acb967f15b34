"""New labels since the last snapshot: noted where label records are archived, counted without the lake.

Every batch of the table's stream leaves an item for each model and hour: which labels became new, and when they mature.
The hour is when the table took the change, which a redelivery does not alter, so that a label is noted under one hour
however often and however cut its batch arrives. Once the stream cannot deliver an hour again, its labels are added to
the counts of the days they mature on, minute by minute.
"""

import hashlib
import heapq
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from hindsight.core.times import microseconds

HOUR = timedelta(hours=1)
# A stream keeps a record for a day; an invocation that began with it may take a little longer.
SETTLES_AFTER = timedelta(hours=26)
MINUTES = 24 * 60
# Bounds of one count and one settling: 16 bytes a label. The rest is left for the next.
MAX_ARRIVED = 250_000
MAX_HOURS = 200
# The labels of one hour that are compared at once: 256 MB. Beyond, a redelivered label may be counted twice.
MAX_TOGETHER = 16_000_000
# The past hours that are packed, and the labels that fit into one item.
PACKED_HOURS = 3
PACKED_ENTRIES = 20_000

_ENTRY = struct.Struct(">Qq")
_DAY_MICROSECONDS = 24 * 3600 * 1_000_000
_MINUTE_MICROSECONDS = 60 * 1_000_000

Entry = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """New labels of a model that the table took within an hour and that came in one batch, or that were packed since.

    ``entries`` are 16 bytes each, sorted and distinct: 64 bits of the SHA-256 of the prediction's id, and the moment at
    which the label is both known and due, in microseconds since 1970.
    """

    model: str
    hour: datetime
    entries: bytes
    is_packed: bool = False

    @property
    def name(self) -> str:
        """The name of these entries among those of their hour: their digest.

        Packed entries sort last: a reader that passes an hour while it is packed sees the one form or the other.
        """
        return ("p" if self.is_packed else "") + hashlib.sha256(self.entries).hexdigest()[:16]

    def __iter__(self) -> Iterator[Entry]:
        return _ENTRY.iter_unpack(self.entries)


@dataclass(frozen=True, slots=True)
class DayCounts:
    """The labels that mature in each minute of a day, of all that arrived in hours before ``settled_until``."""

    day: date
    settled_until: datetime
    minutes: Sequence[int]

    def between(self, after: datetime, until: datetime) -> int:
        """Count the labels that mature in a later minute than ``after`` and no later one than ``until``."""
        midnight = datetime.combine(self.day, datetime.min.time(), UTC)
        first, last = ((moment - midnight) // timedelta(minutes=1) for moment in (after, until))
        return sum(self.minutes[max(first + 1, 0) : max(last + 1, 0)])


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


class NewLabelStore(Protocol):
    """The store of new labels."""

    def note(self, arrivals: Sequence[Arrivals]) -> None:
        """Keep arrivals; equal ones are kept once. Raises Unavailable."""

    def arrivals(self, model: str, since: datetime | None, before: datetime | None = None) -> Iterator[Arrivals]:
        """Yield the arrivals of the hours from one on and before another, hour by hour."""

    def forget(self, arrivals: Sequence[Arrivals]) -> None:
        """Remove arrivals that are counted or packed. Raises Unavailable; doing it again is safe."""

    def days(self, model: str, first: date, last: date) -> list[DayCounts]:
        """Read the counts of days that have some, from a first to a last one, both included."""

    def add(self, model: str, day: date, hour: datetime, minutes: Sequence[int]) -> None:
        """Add what arrived in an hour to a day's counts, once: an hour before the day's ``settled_until`` is in."""

    def settled_until(self, model: str) -> datetime | None:
        """Read the hour before which all arrivals are in the days' counts; None before the first settling."""

    def mark_settled(self, model: str, until: datetime) -> None:
        """Note that all arrivals of the hours before one are in the days' counts; an earlier hour changes nothing."""


@dataclass(frozen=True, slots=True)
class NewLabels:
    """The notes, settling and count of models' new labels."""

    store: NewLabelStore

    def note(self, labels: Iterable[NewLabel]) -> None:
        """Note new labels. Noting them again, together or apart, changes nothing."""
        self.store.note(arrivals_of(labels))

    def count(self, model: str, *, since: datetime | None, as_of: datetime, window: timedelta) -> int:
        """Count the labels known and due by ``as_of`` that became so after ``since``; before the first snapshot, all
        that did within ``window``.

        Exact for what arrived within the last day, to the minute for what is settled. Of arrivals that are not settled
        ``MAX_ARRIVED`` are read and a few more: beyond, the count is at least that.
        """
        after = since if since is not None else as_of - window
        settled = self.store.settled_until(model)
        days = {found.day.toordinal(): found for found in self.store.days(model, _day(after), _day(as_of))}
        counted = sum(found.between(after, as_of) for found in days.values())
        latest = max((found.settled_until for found in days.values()), default=None)
        low, high = microseconds(after), microseconds(as_of)
        arrived, read = set[Entry](), 0
        for arrivals in self.store.arrivals(model, settled):
            found: Iterable[Entry] = (entry for entry in arrivals if low < entry[1] <= high)
            if latest is not None and arrivals.hour < latest:
                # A settling is under way, or was cut short: some days have this hour already.
                found = (entry for entry in found if not _has(days.get(_ordinal(entry[1])), arrivals.hour))
            arrived.update(found)
            read += len(arrivals.entries) // _ENTRY.size
            if read >= MAX_ARRIVED:
                break
        return counted + len(arrived)

    def settle(self, model: str, now: datetime) -> None:
        """Add the arrivals that cannot be redelivered by ``now`` to the days' counts, ``MAX_HOURS`` hours a call.

        May stop anywhere and be done again, by several workers at once.
        """
        until = hour_of(now - SETTLES_AFTER)
        waiting = self.store.arrivals(model, self.store.settled_until(model), until)
        for number, (hour, arrivals) in enumerate(groupby(waiting, key=attrgetter("hour")), start=1):
            for day, minutes in _by_day(arrivals):
                self.store.add(model, day, hour, minutes)
            self.store.mark_settled(model, hour + HOUR)
            if number == MAX_HOURS:
                return

    def pack(self, model: str, now: datetime) -> None:
        """Put the arrivals of the last hours that are over into few items, so that a count reads few.

        They stay sets: a label that is in small items too, after a crash or a redelivery, is counted once.
        """
        last = hour_of(now)
        for _, found in groupby(self.store.arrivals(model, last - PACKED_HOURS * HOUR, last), key=attrgetter("hour")):
            # Of an hour with very many, some: the next check goes on with the others.
            parts = list(_first(found, MAX_ARRIVED * _ENTRY.size))
            packed = packed_of(parts)
            kept = set(packed)
            if len(packed) < len(parts):
                self.store.note(packed)
                self.store.forget([part for part in parts if part not in kept])


def packed_of(parts: Sequence[Arrivals]) -> list[Arrivals]:
    """Put the arrivals of one model and hour together, in as few as have room for them."""
    entries = sorted({entry for part in parts for entry in _packed_entries(part)})
    return [
        Arrivals(parts[0].model, parts[0].hour, b"".join(entries[first : first + PACKED_ENTRIES]), is_packed=True)
        for first in range(0, len(entries), PACKED_ENTRIES)
    ]


def arrivals_of(labels: Iterable[NewLabel]) -> list[Arrivals]:
    """Group new labels by model and the hour they arrived in."""
    grouped: dict[tuple[str, datetime], set[bytes]] = {}
    for label in labels:
        grouped.setdefault((label.model, hour_of(label.arrived_at)), set()).add(label.entry)
    return [Arrivals(model, hour, b"".join(sorted(found))) for (model, hour), found in grouped.items()]


def hour_of(moment: datetime) -> datetime:
    """Compute the beginning of a moment's hour, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _first(arrivals: Iterable[Arrivals], most_bytes: int) -> Iterator[Arrivals]:
    """Yield the first arrivals, until together they are too large; the one that makes them so is the last."""
    for found in arrivals:
        yield found
        most_bytes -= len(found.entries)
        if most_bytes <= 0:
            return


def _packed_entries(part: Arrivals) -> Iterator[bytes]:
    """Yield the entries in the order in which they are kept, 16 bytes each."""
    return (part.entries[at : at + _ENTRY.size] for at in range(0, len(part.entries), _ENTRY.size))


def _by_day(arrivals: Iterable[Arrivals]) -> Iterator[tuple[date, Sequence[int]]]:
    """Yield the days on which the labels of one hour mature, with how many do in each minute."""
    rest, days = iter(arrivals), dict[int, list[int]]()
    while parts := list(_first(rest, MAX_TOGETHER * _ENTRY.size)):
        # Each part is sorted, so that equal entries meet where all are merged: nothing but the parts is held.
        for entry, _ in groupby(heapq.merge(*map(_packed_entries, parts))):
            _, moment = _ENTRY.unpack(entry)
            minutes = days.setdefault(_ordinal(moment), [0] * MINUTES)
            minutes[moment % _DAY_MICROSECONDS // _MINUTE_MICROSECONDS] += 1
    for ordinal in sorted(days):
        yield date.fromordinal(ordinal), days[ordinal]


def _has(counts: DayCounts | None, hour: datetime) -> bool:
    return counts is not None and hour < counts.settled_until


def _ordinal(moment: int) -> int:
    return _FIRST_DAY + moment // _DAY_MICROSECONDS


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


_FIRST_DAY = date(1970, 1, 1).toordinal()
