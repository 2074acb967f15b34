"""Whether a part holds a prediction: looked up in the object where it lies, a few pieces of it, without numpy."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, overload

from shared.datasets.npz_members import Member, ReadRange, members_of
from shared.times import format_time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BLOCK = 64 * 1024
_BLOCKS_HELD = 32
_READ = ("occurred_at", "prediction_id", "seq")


def microseconds(moment: datetime) -> int:
    """Return a moment as a dataset holds it: microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_text(moment: int) -> str:
    """Return a moment of a dataset as RFC 3339 text.

    >>> moment_text(microseconds(datetime(2026, 3, 1, 12, tzinfo=UTC)))
    '2026-03-01T12:00:00.000000Z'
    """
    return format_time(_EPOCH + moment * _MICROSECOND)


def find_seq(read: ReadRange, size: int, prediction_id: str, occurred_at: datetime) -> int | None:
    """Return with which record of its label a part holds a prediction, None if it does not.

    Rows are in the order of the prediction's time, so that a search halves its way to those of that moment. Raises
    ValueError for what is no part.
    """
    pieces = _Pieces(read)
    members = members_of(pieces.at, size, _READ)
    moments = _Numbers(pieces, members["occurred_at"])
    names = _Names(pieces, members["prediction_id"])
    wanted, moment = prediction_id.encode(), microseconds(occurred_at)
    place = bisect_left(moments, moment)
    while place < len(moments) and moments[place] == moment:
        if names[place] == wanted:
            return _Numbers(pieces, members["seq"])[place]
        place += 1
    return None


@dataclass(slots=True)
class _Pieces:
    """Pieces of an object, the last few kept."""

    read: ReadRange
    held: OrderedDict[int, bytes] = field(default_factory=OrderedDict)

    def at(self, start: int, length: int) -> bytes:
        """Return some bytes, however they lie in the pieces."""
        first, last = start // _BLOCK, (start + length - 1) // _BLOCK
        joined = b"".join(self._block(number) for number in range(first, last + 1))
        return joined[start - first * _BLOCK :][:length]

    def _block(self, number: int) -> bytes:
        if number not in self.held:
            self.held[number] = self.read(number * _BLOCK, _BLOCK)
            if len(self.held) > _BLOCKS_HELD:
                self.held.popitem(last=False)
        return self.held[number]


@dataclass(frozen=True, slots=True)
class _Numbers(Sequence[int]):
    """An array of whole numbers."""

    pieces: _Pieces
    member: Member

    def __len__(self) -> int:
        return self.member.shape[0]

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[int]: ...
    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        width = int(self.member.dtype[2:])
        found = self.pieces.at(self.member.start + place * width, width)
        return int.from_bytes(found, "little", signed=True)


@dataclass(frozen=True, slots=True)
class _Names:
    """An array of bytes of one width."""

    pieces: _Pieces
    member: Member

    def __getitem__(self, place: int) -> bytes:
        width = int(self.member.dtype[2:])
        return self.pieces.at(self.member.start + place * width, width).rstrip(b"\0")
