"""Redaction: objects of the lake without a subject's rows, and the number of rows removed."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hindsight.core.errors import UnreadableObject
from hindsight.lake.pack import GZIP_MAGIC
from hindsight.privacy.subject import Subject

# More than anything here writes into one object; a few kilobytes of gzip can unzip to terabytes.
_MAX_BYTES = 1 << 30

Owns = Callable[[Subject, Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class RedactionResult:
    """The content left of an object, None where nothing is; and the number of rows removed."""

    content: bytes | None
    rows: int


Redactor = Callable[[Subject, bytes], RedactionResult | None]


def redact_lines(owns: Owns, *, keeps_numbers: bool = False) -> Redactor:
    """Build the redactor that removes a subject's lines from JSON lines, gzipped or plain; the others stay as they are.

    With ``keeps_numbers`` blank lines take their place: another reader may be in the file. A line that is no
    JSON object goes if it quotes one of the subject's ids. Raises UnreadableObject where the gzip is damaged.
    """

    def redact(subject: Subject, content: bytes) -> RedactionResult | None:
        lines = [(line, _is_theirs(subject, owns, line)) for line in unzipped(content).split(b"\n")]
        taken = sum(is_theirs for _, is_theirs in lines)
        if not taken:
            return None
        left = b"\n".join(b"" if is_theirs else line for line, is_theirs in lines if keeps_numbers or not is_theirs)
        if not (keeps_numbers or left.strip()):
            return RedactionResult(None, taken)
        is_zipped = content[:2] == GZIP_MAGIC
        return RedactionResult(gzip.compress(left, 6, mtime=0) if is_zipped else left, taken)

    return redact


def redact_golden(subject: Subject, content: bytes) -> RedactionResult | None:
    """Take a subject's rows out of those whose answers a version must give again."""
    document = json.loads(content)
    kept = [row for row in document["rows"] if not subject.owns_features(row["features"])]
    taken = len(document["rows"]) - len(kept)
    return RedactionResult(json.dumps({**document, "rows": kept}).encode(), taken) if taken else None


def drop_if_mentioned(subject: Subject, content: bytes) -> RedactionResult | None:
    """Take away the whole of a text that quotes one of a subject's ids: it can be made again."""
    csv.field_size_limit(_MAX_BYTES)  # a prediction's features are one cell
    lines = io.StringIO(unzipped(content).decode("utf-8", "replace"), newline="")
    cells = {cell for row in csv.reader(lines) for cell in row}
    is_mentioned = subject.entity_id in cells or not subject.prediction_ids.isdisjoint(cells)
    return RedactionResult(None, 1) if is_mentioned else None


def unzipped(content: bytes) -> bytes:
    """Unzip bytes if they are gzipped. Raises UnreadableObject if that fails, or is more than fits."""
    if content[:2] != GZIP_MAGIC:
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            plain = file.read(_MAX_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableObject("the object cannot be unzipped") from error
    if len(plain) > _MAX_BYTES:
        raise UnreadableObject("the object unzips to more than a gigabyte")
    return plain


def _is_theirs(subject: Subject, owns: Owns, line: bytes) -> bool:
    if not line.strip():
        return False
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return subject.owns_text(line.decode("utf-8", "replace"))
    return isinstance(row, dict) and owns(subject, row)
