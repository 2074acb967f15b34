"""The locations of arrays in an uncompressed ``.npz`` file, without numpy and without reading the file."""

import ast
import io
import struct
import zipfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import IO, cast

MEMBER = ".npy"
ReadRange = Callable[[int, int], bytes]

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_MAGIC = b"\x93NUMPY"
_FIRST_LOOK = 4096


@dataclass(frozen=True, slots=True)
class Member:
    """An array's type as numpy writes it (``<i8``, ``|S36``), its shape, and where its bytes begin."""

    dtype: str
    shape: tuple[int, ...]
    start: int


def members_of(read: ReadRange, size: int, names: Collection[str] | None = None) -> Mapping[str, Member]:
    """Locate the arrays of a file by name, all or those named; ``read`` reads bytes from a position on.

    Raises ValueError or BadZipFile for what is no such file.
    """
    with zipfile.ZipFile(cast("IO[bytes]", io.BufferedReader(_Ranges(read, size), 1 << 16))) as archive:
        entries = {entry.filename.removesuffix(MEMBER): entry for entry in archive.infolist()}
    return {name: _member(read, entry) for name, entry in entries.items() if names is None or name in names}


def _member(read: ReadRange, entry: zipfile.ZipInfo) -> Member:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed")
    start = entry.header_offset
    look = read(start, _FIRST_LOOK)
    _, name_length, extra_length = _LOCAL_HEADER.unpack_from(look)
    begin = _LOCAL_HEADER.size + name_length + extra_length
    magic = look[begin : begin + len(_MAGIC) + 4]
    if magic[:-4] != _MAGIC or magic[-4:-2] != b"\x01\x00":
        raise ValueError(f"{entry.filename} is no array")
    length = int.from_bytes(magic[-2:], "little")
    header = look[begin + len(magic) : begin + len(magic) + length]
    described = ast.literal_eval(header.decode("latin1"))
    if described["fortran_order"] or "O" in described["descr"]:
        raise ValueError(f"{entry.filename} is not a plain array")
    return Member(described["descr"], described["shape"], start + begin + len(magic) + length)


class _Ranges(io.RawIOBase):
    """A file whose pieces are fetched as they are read."""

    def __init__(self, read: ReadRange, size: int) -> None:
        super().__init__()
        self._read, self._size, self._place = read, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = start + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        piece = self._read(self._place, min(len(view), max(self._size - self._place, 0)))
        view[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)
