"""Lines of an untrusted file, of bounded memory."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from hindsight.core.errors import UnreadableObject


@dataclass(frozen=True, slots=True)
class BoundedLine:
    """One line, or its beginning."""

    content: bytes
    is_cut: bool = False


def bounded_lines(plain: BinaryIO, *, max_line: int, max_total: int) -> Iterator[BoundedLine]:
    r"""Read every line, blank ones too; of one longer than ``max_line`` bytes only the beginning.

    A byte order mark, as spreadsheets and editors write it, belongs to no line.

    Raises UnreadableObject beyond ``max_total`` bytes: a few kilobytes of gzip can unzip to terabytes.

    >>> import io
    >>> list(bounded_lines(io.BytesIO(b"abc\nabcdef\n"), max_line=4, max_total=100))
    [BoundedLine(content=b'abc\n', is_cut=False), BoundedLine(content=b'abcd', is_cut=True)]
    """
    total, is_first = 0, True
    while line := plain.readline(max_line):
        total += len(line)
        piece, is_cut = line, False
        while piece and not piece.endswith(b"\n") and total <= max_total:
            piece = plain.readline(max_line)
            total += len(piece)
            is_cut = is_cut or bool(piece.strip())
        if total > max_total:
            raise UnreadableObject(f"the file is larger than {max_total} bytes; split it")
        yield BoundedLine(line.removeprefix(BOM_UTF8) if is_first else line, is_cut)
        is_first = False
