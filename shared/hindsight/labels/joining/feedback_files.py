"""Raw feedback files: JSON lines, read in bounded chunks; a line that cannot be read does not hold up the others."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationStore, remembered
from hindsight.config.types import NO_IDENTIFIER, NO_MODEL_NAME
from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput, UnreadableObject
from hindsight.core.times import in_calendar
from hindsight.entities.feedback import Feedback
from hindsight.labels.joining.join import JoinReport
from hindsight.lake.object_store import REWRITTEN, Lake, bounded_lines_of, day_of
from hindsight.quarantine.rejects import REJECTED, Reject, RejectCode, RowKind, model_in, passed_on
from hindsight.quarantine.store import UNREADABLE, Quarantine, QuarantinedRow, event_row, kept_text

FEEDBACK_PREFIX = "feedback/"
CHUNK_LINES = 2000
# Far more than the stream puts into one file; what is larger was not written by it, and a few kilobytes of gzip can
# unzip to terabytes.
MAX_FILE_BYTES = 128 << 20
MAX_LINE_BYTES = 4 << 20
MAX_MALFORMED = 10_000
_EPOCH = date(1970, 1, 1)
_REJECTED_KEY = f'"{REJECTED}"'.encode()
_decode = msgspec.json.Decoder(Feedback).decode


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part of a feedback file to join: the lines after line ``after``, all of them at first."""

    key: str
    after: int = 0


@dataclass(slots=True)
class FileRun:
    """The result of one run over a file; ``rest`` is the part that time did not suffice for."""

    report: JoinReport = field(default_factory=JoinReport)
    rest: FilePart | None = None


@dataclass(slots=True)
class _Chunk:
    """Lines up to ``end``, the events they hold and those that hold none."""

    end: int = 0
    is_last: bool = False
    events: list[Feedback] = field(default_factory=list)
    rejected: list[QuarantinedRow] = field(default_factory=list)


class Joiner(Protocol):
    """A joiner of events."""

    def join(self, events: Iterable[Feedback]) -> JoinReport:
        """Join events of known models. Raises Unavailable; joining all of them again is safe."""


@dataclass(frozen=True, slots=True)
class FeedbackFiles:
    """The joiner of the lake's feedback files."""

    lake: Lake
    joiner: Joiner
    quarantine: Quarantine
    configurations: ConfigurationStore

    def join(self, key: str) -> JoinReport:
        """Join a whole file. Raises NotFound, Unavailable; joining the file again is safe."""
        return self.join_part(FilePart(key), lambda: True).report

    def join_part(self, part: FilePart, has_time: Callable[[], bool]) -> FileRun:
        """Join a part of a file while there is time, at least some of its lines; raises as ``join`` does.

        A file larger than one run can join is done after some runs instead of failing in each.
        """
        run, known = FileRun(), remembered(self.configurations)
        for chunk in self._chunks(part, known):
            run.report.merge(self.joiner.join(chunk.events))
            self.quarantine.put(chunk.rejected)
            for row in chunk.rejected:
                if row.kind is RowKind.FEEDBACK:
                    run.report.count_quarantined(row.model, row.code)
            if not chunk.is_last and not has_time():
                run.rest = FilePart(part.key, chunk.end)
                break
        return run

    def _chunks(self, part: FilePart, known: Callable[[str], ModelConfiguration | None]) -> Iterator[_Chunk]:
        key, chunk, malformed = part.key, _Chunk(), 0
        for number, line in self._lines(key):
            if number <= part.after:
                continue
            if len(chunk.events) + len(chunk.rejected) >= CHUNK_LINES:
                yield chunk
                chunk = _Chunk()
            chunk.end = number
            parsed = line if isinstance(line, Reject) else parse_feedback_line(line)
            if isinstance(parsed, Reject):
                chunk.rejected.append(_rejected_row(key, number, b"" if isinstance(line, Reject) else line, parsed))
                malformed += parsed.code is RejectCode.MALFORMED
                if malformed > MAX_MALFORMED:
                    reject = _unread(f"more than {MAX_MALFORMED} bad lines")
                    chunk.rejected.append(_rejected_row(key, number, b"", reject))
                    break
            elif known(parsed.model) is not None:
                chunk.events.append(parsed)
            else:
                reason = f"no model is called {parsed.model!r}"
                chunk.rejected.append(event_row(RejectCode.UNKNOWN_MODEL, reason, parsed))
        chunk.is_last = True
        yield chunk

    def _lines(self, key: str) -> Iterator[tuple[int, bytes | Reject]]:
        """Read the lines of a file by their numbers, without blank ones; where reading fails, a reject."""
        number = 0
        try:
            bounded = bounded_lines_of(self.lake, key, max_line=MAX_LINE_BYTES, max_total=MAX_FILE_BYTES)
            for number, line in enumerate(bounded, start=1):
                if line.is_cut:
                    yield number, _unread(f"the line is longer than {MAX_LINE_BYTES} bytes")
                elif line.content.strip():
                    yield number, line.content
        except UnreadableObject as error:
            yield number + 1, _unread(error.message)


def part_message(part: FilePart) -> str:
    """Build the message that asks for the rest of a file.

    >>> parse_part(part_message(FilePart("feedback/date=2026-03-01/a", 2000)))
    FilePart(key='feedback/date=2026-03-01/a', after=2000)
    """
    return compact_json.dumps({"part": {"key": part.key, "after": part.after}})


def parse_part(body: str) -> FilePart | None:
    """Parse the part of a file that a message asks for, None for any other message."""
    message: Any = compact_json.loads(body)
    part = message.get("part") if isinstance(message, dict) else None
    return None if part is None else FilePart(str(part["key"]), int(part["after"]))


def is_feedback_file(key: str) -> bool:
    """Check whether a key is a file of raw feedback; undelivered records of Firehose lie beside, under ``errors``."""
    return key.startswith(FEEDBACK_PREFIX) and not key.startswith(f"{FEEDBACK_PREFIX}errors")


def is_to_be_joined(key: str) -> bool:
    """Check whether a file of raw feedback is new: the rest that an erasure left of one is not."""
    return is_feedback_file(key) and not key.endswith(REWRITTEN)


def file_day(key: str) -> date:
    """Read the day a feedback file lies under.

    >>> file_day("feedback/date=2026-03-01/part-1")
    datetime.date(2026, 3, 1)
    """
    return day_of(key) or _EPOCH


def parse_feedback_line(line: bytes) -> Feedback | Reject:
    """Read the event of a line of a feedback file, or its fault.

    >>> parse_feedback_line(b'{"model": 5}').reason
    'model: expected str, got int'
    """
    try:
        event = _decode(line)
        in_calendar(event.occurred_at)
        in_calendar(event.received_at)
        if (event.prediction_id is None or event.entity_id or event.reference) and not event.names_one_key:
            raise InvalidInput("prediction_id: is required, or entity_id or reference in its place")
        if event.occurred_at.tzinfo is UTC and event.received_at.tzinfo is UTC:
            return event
        return replace(
            event, occurred_at=event.occurred_at.astimezone(UTC), received_at=event.received_at.astimezone(UTC)
        )
    except (ValueError, OverflowError, RecursionError, InvalidInput) as error:
        return _not_an_event(line, _reason(error))


def _not_an_event(line: bytes, reason: str) -> Reject:
    """Read the reject that a line of a call passes on; of any other line, that it is malformed."""
    try:
        row = msgspec.json.decode(line) if _REJECTED_KEY in line else None
        reject = passed_on(row) if isinstance(row, dict) else None
    except (ValueError, RecursionError) as error:
        return Reject(RejectCode.MALFORMED, _reason(error))
    return reject or Reject(RejectCode.MALFORMED, reason)


def _unread(reason: str) -> Reject:
    """Build the row for the unread rest of a file; the file itself stays where it is."""
    return Reject(RejectCode.MALFORMED, f"{reason}; what follows was not read", text="", is_truncated=True)


def _rejected_row(key: str, number: int, line: bytes, reject: Reject) -> QuarantinedRow:
    if reject.text is None:
        whole = line.decode("utf-8", errors="replace").rstrip("\r\n")
        model = model_in(whole)
    else:
        whole, model = reject.text, reject.model
    text, was_cut = kept_text(whole)
    return QuarantinedRow(
        code=reject.code,
        reason=reject.reason,
        path=reject.path,
        day=reject.received_at.date() if reject.received_at else file_day(key),
        model=model or UNREADABLE,
        kind=reject.kind,
        received_at=reject.received_at,
        file=key,
        line=number,
        text=text,
        is_truncated=reject.is_truncated or was_cut,
    )


def _reason(error: Exception) -> str:
    """Describe a decoder's fault, the path first, without repeating the value."""
    if isinstance(error, msgspec.ValidationError):
        return _at_path(str(error))
    if isinstance(error, msgspec.DecodeError):
        return f"not valid JSON: {str(error).removeprefix('JSON is malformed: ')}"
    if isinstance(error, UnicodeError):
        return "not well-formed UTF-8"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _at_path(message: str) -> str:
    """Write a message of msgspec with its path in front, as every other fault has it.

    >>> _at_path("Expected `datetime` with a timezone component - at `$.occurred_at`")
    'occurred_at: expected datetime with a timezone component'
    """
    problem, _, path = message.replace("Object missing required field", "Is required -").partition(" - ")
    place = path.strip("`").removeprefix("at `$").lstrip(".").strip("`")
    if " matching regex " in problem:
        return f"{place}: {NO_MODEL_NAME if place == 'model' else NO_IDENTIFIER}"
    said = (problem[:1].lower() + problem[1:]).replace("`", "")
    return f"{place}: {said}" if place else said
