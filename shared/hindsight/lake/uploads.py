"""Files that operators put into the lake: their keys, and their rows, one a line, as JSON or as CSV with a header."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput, NotFound, UnreadableObject
from hindsight.lake.object_store import Lake, model_prefix

UPLOADS = "uploads"
UPLOADS_LAST = timedelta(days=30)
MAX_ROWS = 1_000_000
_MAX_LINE_BYTES = 1 << 20
_MAX_BYTES = 1 << 30
_PARQUET = b"PAR1"


class UploadedRow(NamedTuple):
    """A row as it was sent, and the number of its line in the file; of a CSV file every value is text."""

    line: int
    values: Any
    is_text: bool


def upload_key(model: str, at: datetime, name: str) -> str:
    """Build the key that a file gets.

    >>> from datetime import UTC
    >>> upload_key("churn", datetime(2026, 3, 1, 12, tzinfo=UTC), "3f9a1c")
    'uploads/model=churn/20260301T120000Z-3f9a1c'
    """
    return f"{model_prefix(UPLOADS, model)}{at:%Y%m%dT%H%M%SZ}-{name}"


def require_own(model: str, key: str, path: str) -> None:
    """Require a key to be one of a model's uploads. Raises InvalidInput."""
    if not key.startswith(own := model_prefix(UPLOADS, model)):
        raise InvalidInput.at(path, f"must lie under {own}")


def uploaded_rows(lake: Lake, key: str, path: str) -> Iterator[UploadedRow]:
    """Read the rows of a file, gzipped or plain: JSON objects, or CSV if its first line is none.

    Raises InvalidInput with the path and the line at fault.
    """
    lines = _lines(lake, key, path)
    first = next(lines, None)
    if first is None:
        raise InvalidInput.at(path, "names a file without rows")
    whole, begin = chain([first], lines), first[1].lstrip()
    if begin.startswith("["):
        raise InvalidInput.at(path, "is a JSON array; write one object a line")
    yield from _json_rows(whole, path) if begin.startswith("{") else _csv_rows(whole, path)


def _lines(lake: Lake, key: str, path: str) -> Iterator[tuple[int, str]]:
    """Read lines with their numbers, blank ones left out."""
    try:
        found = lake.read_bounded_lines(key, max_line=_MAX_LINE_BYTES, max_total=_MAX_BYTES)
        for number, line in enumerate(found, 1):
            if number == 1 and line.content.startswith(_PARQUET):
                raise InvalidInput.at(path, "is Parquet; write the rows as JSON Lines or CSV")
            if line.is_cut:
                raise InvalidInput.at(f"{path}[{number}]", f"is longer than {_MAX_LINE_BYTES} bytes")
            if line.content.strip():
                yield number, _decoded(line.content, f"{path}[{number}]")
    except NotFound:
        raise InvalidInput.at(path, "names no object of the lake") from None
    except UnreadableObject as error:
        raise InvalidInput.at(path, f"cannot be read: {error.message}") from error


def _decoded(line: bytes, path: str) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput.at(path, "is not well-formed UTF-8") from None


def _json_rows(lines: Iterator[tuple[int, str]], path: str) -> Iterator[UploadedRow]:
    for count, (number, line) in enumerate(lines, 1):
        _require_few(count, path)
        try:
            yield UploadedRow(number, compact_json.parse(line), is_text=False)
        except InvalidInput as error:
            raise InvalidInput.at(f"{path}[{number}]", f"is {error.message}") from error


def _csv_rows(lines: Iterator[tuple[int, str]], path: str) -> Iterator[UploadedRow]:
    number = 0

    def texts() -> Iterator[str]:
        nonlocal number
        for number, line in lines:  # noqa: B007  read by the rows below
            yield line

    rows = csv.reader(texts(), strict=True)
    try:
        header = [name.strip() for name in next(rows)]
        if len(set(header)) < len(header):
            raise InvalidInput.at(f"{path}[{number}]", "names a column twice")
        for count, row in enumerate(rows, 1):
            _require_few(count, path)
            if len(row) != len(header):
                raise InvalidInput.at(f"{path}[{number}]", f"has {len(row)} values, the header {len(header)}")
            yield UploadedRow(number, dict(zip(header, row, strict=True)), is_text=True)
    except csv.Error as error:
        raise InvalidInput.at(f"{path}[{number}]", f"is no CSV: {error}") from error


def _require_few(count: int, path: str) -> None:
    if count > MAX_ROWS:
        raise InvalidInput.at(path, f"names a file of more than {MAX_ROWS:,} rows")
