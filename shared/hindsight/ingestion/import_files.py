"""Files to import: where they lie, whose items they hold, their lines in chunks of bounded size."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from hindsight.core.errors import NotFound, UnreadableObject, shortened
from hindsight.lake.bounded_lines import BoundedLine
from hindsight.lake.object_store import REWRITTEN, Lake, bounded_lines_of
from hindsight.quarantine.rejects import RejectCode, RowKind, is_model_name
from hindsight.quarantine.store import UNREADABLE, QuarantinedRow, kept_text
from hindsight.validation.line_items import IMPORTS

CHUNK_LINES = 500
CHUNK_BYTES = 4 * 1024 * 1024
MAX_LINE_BYTES = 1024 * 1024
MAX_FILE_BYTES = 8 * 1024**3
MISPLACED = "must lie under imports/model={model}/predictions/ or /feedback/ and end in .jsonl or .jsonl.gz"
_KEY = re.compile(rf"{IMPORTS}model=(?P<model>[^/]+)/(?P<kind>predictions|feedback)/.+\.jsonl(?:\.gz)?")
_FOLDER = re.compile(rf"{IMPORTS}model=(?P<model>[^/]+)/")
_KINDS = {"predictions": RowKind.PREDICTION, "feedback": RowKind.FEEDBACK}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was uploaded ``at`` a moment; ``version`` distinguishes it from other uploads under its key."""

    key: str
    version: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """An upload that lies where imports do, and whose items it holds."""

    upload: Upload
    model: str
    kind: RowKind

    def row(self, line: "Line", code: RejectCode, reason: str, path: str | None = None) -> QuarantinedRow:
        """Build the row of a line that was not taken."""
        text, was_cut = kept_text(line.text)
        return QuarantinedRow(
            code=code,
            reason=shortened(reason),
            path=shortened(path),
            day=self.upload.at.date(),
            model=self.model,
            kind=self.kind,
            received_at=self.upload.at,
            file=self.upload.key,
            line=line.number,
            text=text,
            is_truncated=line.is_cut or was_cut,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line, counted from 1."""

    number: int
    content: bytes
    is_cut: bool

    @property
    def text(self) -> str:
        """The line as it is kept and shown."""
        return self.content.decode("utf-8", errors="replace").rstrip("\r\n")


@dataclass(slots=True)
class Chunk:
    """Lines up to ``last_line`` that are not blank; the last chunk of a file may end in a ``fault`` of the file's."""

    last_line: int
    lines: list[Line] = field(default_factory=list)
    size: int = 0
    is_last: bool = False
    fault: str | None = None

    @property
    def is_full(self) -> bool:
        """True if no further line is to be added."""
        return len(self.lines) >= CHUNK_LINES or self.size >= CHUNK_BYTES

    def add(self, number: int, line: BoundedLine) -> None:
        """Add the next line."""
        self.last_line = number
        if line.content.strip():
            self.lines.append(Line(number, line.content, line.is_cut))
            self.size += len(line.content)


def imported_file(upload: Upload) -> ImportedFile | None:
    """Read whose items an upload holds, None where no import can lie.

    >>> imported_file(Upload("imports/model=bikes/feedback/2025/march.jsonl.gz", "", datetime(2026, 3, 1))).model
    'bikes'
    """
    match = _KEY.fullmatch(upload.key)
    if match is None or not is_model_name(match["model"]):
        return None
    return ImportedFile(upload, match["model"], _KINDS[match["kind"]])


def is_import(key: str) -> bool:
    """Check whether a key is a file to import: no folder as consoles make them, nor what an erasure left of one."""
    return key.startswith(IMPORTS) and not key.endswith(("/", REWRITTEN))


def chunks_after(lake: Lake, key: str, line: int) -> Iterator[Chunk]:
    """Divide the lines of a file after one into chunks; at least one, the last, which may be empty."""
    chunk = Chunk(line)
    try:
        lines = bounded_lines_of(lake, key, max_line=MAX_LINE_BYTES, max_total=MAX_FILE_BYTES)
        for number, found in enumerate(lines, start=1):
            if number <= line:
                continue
            if chunk.is_full:
                yield chunk
                chunk = Chunk(chunk.last_line)
            chunk.add(number, found)
    except (UnreadableObject, NotFound) as error:
        chunk.fault = error.message
    chunk.is_last = True
    yield chunk


def whole_file(upload: Upload, code: RejectCode, reason: str, kind: RowKind = RowKind.FEEDBACK) -> QuarantinedRow:
    """Build the row of a file that was not read, or not to its end; it can only be uploaded again."""
    match = _FOLDER.match(upload.key)
    return QuarantinedRow(
        code=code,
        reason=shortened(reason),
        day=upload.at.date(),
        model=match["model"] if match and is_model_name(match["model"]) else UNREADABLE,
        kind=kind,
        received_at=upload.at,
        file=upload.key,
        line=0,
        text="",
        is_truncated=True,
    )
