"""A pack: the lines of many small objects in one object, behind a mark for each of them.

A mark names the object that the lines up to the next mark were read from. So a reader can still count each object
once, and a dataset can still name the objects its rows came from, however often they are packed again.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput, UnreadableObject

PACKED = "packed-"
_FULL = ".full.jsonl.gz"
_OPEN = ".jsonl.gz"
GZIP_MAGIC = b"\x1f\x8b"
# A field of no row; it sorts before every field name that a row can have.
_FIELD = "#member"
_MARK = b'{"#member":'


@dataclass(frozen=True, slots=True)
class Member:
    """An object of the lake as the stream wrote it: its key, the SHA-256 of its bytes, and when it was written.

    ``written_at`` is text that sorts as moments do, empty for an object that is in no pack.
    """

    key: str
    digest: str
    written_at: str = ""

    def mark(self) -> bytes:
        """Build the line that stands in front of the object's lines."""
        name = self.key.rpartition("/")[2]
        return compact_json.dumps({_FIELD: [name, self.digest, self.written_at]}).encode()


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one member, without the ends of lines and without blank ones."""

    member: Member
    lines: Sequence[bytes]

    @property
    def content(self) -> bytes:
        """The lines as one text."""
        return b"\n".join(self.lines)


def is_pack(key: str) -> bool:
    """Recognise the key of a pack.

    >>> is_pack("predictions/model=m/date=2026-03-01/packed-20260301T100500Z-0000-ab.jsonl.gz")
    True
    """
    return key.rpartition("/")[2].startswith(PACKED)


def is_full(key: str) -> bool:
    """Recognise the key of a pack that is full, and is never rewritten by the packer."""
    return is_pack(key) and key.endswith(_FULL)


def is_mark(line: bytes) -> bool:
    """Recognise a mark among the lines of an object."""
    return line.startswith(_MARK)


def newest_in(key: str) -> str:
    """Read from a pack's key when its newest member was written.

    >>> newest_in("predictions/model=m/date=2026-03-01/packed-20260301T100500Z-0000-ab.jsonl.gz")
    '20260301T100500Z'
    """
    return key.rpartition("/")[2].removeprefix(PACKED).partition("-")[0]


def pack_name(newest: str, number: int, digest: str, *, full: bool) -> str:
    """Build the name of a pack: sorted by its newest member, and another one for another content."""
    return f"{PACKED}{newest}-{number:04d}-{digest[:16]}{_FULL if full else _OPEN}"


def parts_of(key: str, content: bytes, written_at: str = "") -> Iterator[Part]:
    """List an object's members with their lines: a pack's one by one, any other object as its own member.

    Raises UnreadableObject.
    """
    lines = [line for line in unzipped(key, content).split(b"\n") if line.strip()]
    member = Member(key, hashlib.sha256(content).hexdigest(), written_at)
    if not is_pack(key):
        yield Part(member, lines)
        return
    first, has_mark = 0, False
    for place, line in enumerate(lines):
        if is_mark(line):
            if has_mark or place:
                yield Part(member, lines[first:place])
            member, first, has_mark = _member(key, line), place + 1, True
    if has_mark or lines:
        yield Part(member, lines[first:])


def emptied_members(key: str, before: bytes, after: bytes | None) -> Iterator[Member]:
    """List the members of a pack that had lines before it was rewritten and have none now; none of another object.

    Datasets may still name them. Raises UnreadableObject.
    """
    if not is_pack(key):
        return
    left = {part.member for part in parts_of(key, after or b"") if part.lines}
    for part in parts_of(key, before):
        if part.lines and part.member not in left:
            yield part.member


def unzipped(key: str, content: bytes) -> bytes:
    """Unzip an object if it is gzipped. Raises UnreadableObject."""
    try:
        return gzip.decompress(content) if content[:2] == GZIP_MAGIC else content
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableObject(f"{key} is damaged: {type(error).__name__}") from error


def _member(key: str, line: bytes) -> Member:
    try:
        name, digest, written_at = compact_json.loads(line)[_FIELD]
    except (InvalidInput, KeyError, TypeError, ValueError) as error:
        raise UnreadableObject(f"{key} is damaged: a mark cannot be read") from error
    return Member(f"{key.rpartition('/')[0]}/{name}", str(digest), str(written_at))
