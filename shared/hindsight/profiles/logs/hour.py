"""The profiles of one hour of a model: by version, with the log objects that have been merged into them."""

import hashlib
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import msgspec
import numpy as np
from msgspec.structs import replace

from hindsight.core.errors import UnreadableObject
from hindsight.profiles.codec import decode, encode, read_format
from hindsight.profiles.profile import Profile

FORMAT = 1
OTHER_VERSIONS = "(other)"  # no version can have this name
MAX_VERSIONS = 50
MAX_COLUMNS = 5_000  # of all versions together: an hour stays within a few dozen megabytes
MAX_DUE_HOURS = 1_000


@dataclass(frozen=True, slots=True)
class LogPiece:
    """The rows of one hour in one log object; ``name`` and ``tag`` identify the object and its content."""

    name: int
    tag: int
    by_version: Mapping[str, Profile]


@dataclass(frozen=True, slots=True, eq=False)
class HourProfiles:
    """The profiles of one hour, and the content of the log objects merged into them by their names, both as hashes."""

    by_version: Mapping[str, Profile] = field(default_factory=dict)
    merged: Mapping[int, int] = field(default_factory=dict)

    def add(self, pieces: Sequence[LogPiece]) -> Self:
        """Merge pieces of the log that are not merged yet into the profiles.

        Beyond fifty versions (fewer where they have very many features) those with the fewest rows become one.
        """
        by_version: dict[str, list[Profile]] = {version: [profile] for version, profile in self.by_version.items()}
        for piece in pieces:
            for version, profile in piece.by_version.items():
                by_version.setdefault(version, []).append(profile)
        profiles = bounded({version: Profile.merged(found) for version, found in by_version.items()})
        merged = {**self.merged, **{piece.name: piece.tag for piece in pieces}}
        return type(self)(profiles, merged)


class _PackedHour(msgspec.Struct, frozen=True, array_like=True):
    format: int
    merged: bytes  # pairs of 64-bit hashes: only the writer reads them, however many there are
    by_version: dict[str, bytes]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_PackedHour).decode
_PAIR = np.dtype("<u8")


def encode_hour(hour: HourProfiles) -> bytes:
    """Encode an hour's profiles as bytes."""
    pairs = np.array(sorted(hour.merged.items()), dtype=_PAIR).tobytes()
    return _encode(_PackedHour(FORMAT, pairs, {name: encode(profile) for name, profile in hour.by_version.items()}))


def decode_hour(content: bytes) -> HourProfiles:
    """Decode the profiles and the log objects merged into them. Raises UnreadableObject."""
    packed = _unpack(content)
    return HourProfiles(_profiles(packed), _merged(packed))


def decode_merged(content: bytes) -> dict[int, int]:
    """Decode the objects merged into an hour, without its profiles. Raises UnreadableObject."""
    return _merged(_unpack(content))


def decode_profiles(content: bytes) -> dict[str, Profile]:
    """Decode an hour's profiles by version, without the log objects merged into them. Raises UnreadableObject."""
    return _profiles(_unpack(content))


def short_hash(text: str) -> int:
    """Compute the 64 bits by which a log object's name or tag is stored."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _unpack(content: bytes) -> _PackedHour:
    return read_format(_decode, content, FORMAT, "hour of profiles")


def _merged(packed: _PackedHour) -> dict[int, int]:
    if len(packed.merged) % 16:
        raise UnreadableObject("the profiles of an hour do not hold what was merged into them")
    pairs = np.frombuffer(packed.merged, dtype=_PAIR).reshape(-1, 2)
    return dict(zip(pairs[:, 0].tolist(), pairs[:, 1].tolist(), strict=True))


def _profiles(packed: _PackedHour) -> dict[str, Profile]:
    return {version: decode(content) for version, content in packed.by_version.items()}


def bounded(
    by_version: Mapping[str, Profile], most_versions: int = MAX_VERSIONS, most_columns: int = MAX_COLUMNS
) -> dict[str, Profile]:
    """Merge the versions with the fewest rows into one, so that no more are kept than have room."""
    widest = max((len(profile.features) for profile in by_version.values()), default=0)
    most = max(2, min(most_versions, most_columns // (widest + 1)))
    named = sorted(by_version.keys() - {OTHER_VERSIONS}, key=lambda version: (-by_version[version].rows, version))
    kept = {version: by_version[version] for version in named[:most]}
    others = [by_version[version] for version in (*named[most:], OTHER_VERSIONS) if version in by_version]
    if others:
        kept[OTHER_VERSIONS] = Profile.merged(others)
    return {version: replace(profile, due=_coarse(profile.due)) for version, profile in kept.items()}


def _coarse(due: Mapping[str, int]) -> dict[str, int]:
    """Group due outcomes into at most a thousand hours: far ones at the end of their day, month, and era."""
    for end in _ENDS:
        if len(due) <= MAX_DUE_HOURS:
            break
        near = set(sorted(due)[: MAX_DUE_HOURS // 2])
        coarse = Counter[str]()
        for hour, count in due.items():
            coarse[hour if hour in near else end(hour)] += count
        due = coarse
    return dict(due)


def _end_of_day(hour: str) -> str:
    return f"{hour[:10]}T23"


def _end_of_month(hour: str) -> str:
    """Find the last hour of an hour's month.

    >>> _end_of_month("2028-02-03T05")
    '2028-02-29T23'
    """
    return f"{hour[:7]}-{monthrange(int(hour[:4]), int(hour[5:7]))[1]}T23"


def _end_of_era(_hour: str) -> str:
    return "9999-12-31T23"


_ENDS: tuple[Callable[[str], str], ...] = (_end_of_day, _end_of_month, _end_of_era)
