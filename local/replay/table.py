"""A CSV file as text: every cell as it is written, every row with the line it begins on."""

import csv
import gzip
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from local.replay.spec import InvalidSpec

_OTHER_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
# A cell may hold a document, but not a file whose quote was never closed.
MAX_CELL_CHARACTERS = 1_000_000
# Bytes that are no UTF-8 stay in their row, as surrogates.
_KEPT = "surrogateescape"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file by its columns; ``number`` is the line it begins on, the header's being 1."""

    number: int
    cells: Mapping[str, str]
    fault: str | None = None


def read_table(path: Path, separator: str) -> tuple[list[str], list[Line]]:
    """Read the header and the rows of a file, gzipped or not; rows with another number of cells carry a fault.

    So do rows that are not UTF-8. Raises InvalidSpec for a file that cannot be read, has no rows, or repeats a
    column's name.
    """
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    lines: list[Line] = []
    try:
        with _opened(path) as text:
            reader = csv.reader(text, delimiter=separator, strict=True)
            header = _header(next(reader, None), path, separator)
            lines.extend(_lines(reader, header))
    except csv.Error as error:
        after = lines[-1].number if lines else 1
        raise InvalidSpec(f"{path}: {error}, in a row after line {after}: is a quote left open?") from error
    except (OSError, EOFError) as error:
        raise InvalidSpec(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if not lines:
        raise InvalidSpec(f"{path} has no rows")
    return header, lines


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    # A byte order mark, as spreadsheets write it, belongs to no column's name.
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8-sig", errors=_KEPT, newline="") as text:
            yield text
    else:
        with path.open(encoding="utf-8-sig", errors=_KEPT, newline="") as text:
            yield text


def _header(names: list[str] | None, path: Path, separator: str) -> list[str]:
    if names is None:
        raise InvalidSpec(f"{path} is empty")
    if not _is_unicode(names):
        raise InvalidSpec(f"{path} is not UTF-8, as its header shows; convert it first")
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidSpec(f"{path} names the column {repeated[0]!r} twice")
    if len(names) == 1:
        for other, name in _OTHER_SEPARATORS.items():
            if other != separator and other in names[0]:
                raise InvalidSpec(
                    f"{path} has a single column {names[0]!r}: is its separator {name}? "
                    f"Say `separator: {other!r}` in the specification"
                )
    return names


def _lines(reader: Any, header: list[str]) -> Iterator[Line]:
    before = reader.line_num
    for cells in reader:
        number, before = before + 1, reader.line_num
        if not cells:
            continue  # an empty line
        fault = None if len(cells) == len(header) else f"has {len(cells)} cells, the header {len(header)}"
        if not _is_unicode(cells):
            fault = "is not UTF-8"
        yield Line(number, dict(zip(header, cells, strict=False)), fault)


def _is_unicode(cells: list[str]) -> bool:
    return not any("\ud800" <= character <= "\udfff" for cell in cells if not cell.isascii() for character in cell)
