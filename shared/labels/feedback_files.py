"""Raw feedback files: JSON lines, read in bounded chunks; a line that cannot be read does not hold up the others."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

import msgspec
from msgspec.structs import replace

from shared.capture.feedback import Feedback
from shared.configuration.store import ConfigurationStore
from shared.errors import NotFound
from shared.labels.join import Joined, JoinReport, LabelJoiner
from shared.labels.quarantine import Quarantine, Reject, RejectCode
from shared.lake import Lake

FEEDBACK_PREFIX = "feedback/"
UNKNOWN = "(unknown)"
CHUNK_LINES = 2000
_DAY = re.compile(r"(?:^|/)date=(\d{4}-\d{2}-\d{2})/")
_EPOCH = date(1970, 1, 1)
_decode = msgspec.json.Decoder(Feedback).decode


@dataclass(frozen=True, slots=True)
class FeedbackFiles:
    """Joins feedback files of the lake."""

    lake: Lake
    joiner: LabelJoiner
    quarantine: Quarantine
    configurations: ConfigurationStore

    def join(self, key: str) -> JoinReport:
        """Join one file. Raises NotFound, Unavailable; joining the file again is safe."""
        report, known = JoinReport(), _KnownModels(self.configurations)
        for part, (events, rejected) in enumerate(self._chunks(key, known)):
            report.merge(self.joiner.join(events))
            if rejected:
                self.quarantine.put_lines(file_day(key), key, part, rejected)
                report.count(UNKNOWN, Joined.QUARANTINED, len(rejected))
        return report

    def _chunks(self, key: str, known: "_KnownModels") -> Iterator[tuple[list[Feedback], list[dict[str, Any]]]]:
        events: list[Feedback] = []
        rejected: list[dict[str, Any]] = []
        for number, line in enumerate(self.lake.read_raw_lines(key), start=1):
            parsed = parse_feedback_line(line)
            if isinstance(parsed, Feedback) and not known(parsed.model):
                parsed = Reject(RejectCode.UNKNOWN_MODEL, f"no model is called {parsed.model!r}")
            if isinstance(parsed, Feedback):
                events.append(parsed)
            else:
                rejected.append(_rejected_row(key, number, line, parsed))
            if len(events) + len(rejected) >= CHUNK_LINES:
                yield events, rejected
                events, rejected = [], []
        yield events, rejected


def is_feedback_file(key: str) -> bool:
    """Return whether a key is a file of raw feedback; what Firehose could not deliver lies beside, under ``errors``."""
    return key.startswith(FEEDBACK_PREFIX) and not key.startswith(f"{FEEDBACK_PREFIX}errors")


def file_day(key: str) -> date:
    """Return the day a feedback file lies under.

    >>> file_day("feedback/date=2026-03-01/part-1")
    datetime.date(2026, 3, 1)
    """
    match = _DAY.search(key)
    return date.fromisoformat(match[1]) if match else _EPOCH


def parse_feedback_line(line: bytes) -> Feedback | Reject:
    """Return the event a line of a feedback file holds, or what is wrong with it.

    >>> parse_feedback_line(b'{"model": 5}')
    Reject(code=<RejectCode.MALFORMED: 'malformed'>, reason='model: expected str, got int')
    """
    try:
        event = _decode(line)
        if event.occurred_at.tzinfo is UTC and event.received_at.tzinfo is UTC:
            return event
        return replace(
            event, occurred_at=event.occurred_at.astimezone(UTC), received_at=event.received_at.astimezone(UTC)
        )
    except (ValueError, OverflowError, RecursionError) as error:
        return Reject(RejectCode.MALFORMED, _reason(error))


class _KnownModels:
    """Whether a model exists, asked once a file."""

    def __init__(self, configurations: ConfigurationStore) -> None:
        self._configurations = configurations
        self._known: dict[str, bool] = {}

    def __call__(self, model: str) -> bool:
        if model not in self._known:
            try:
                self._configurations.current(model)
            except NotFound:
                self._known[model] = False
            else:
                self._known[model] = True
        return self._known[model]


def _rejected_row(key: str, number: int, line: bytes, reject: Reject) -> dict[str, Any]:
    text = line.decode("utf-8", errors="replace").rstrip("\r\n")
    return {"code": reject.code.value, "reason": reject.reason, "file": key, "line": number, "text": text}


def _reason(error: Exception) -> str:
    """Return what a decoder found wrong, the path at fault first; it never repeats what stands there."""
    if isinstance(error, msgspec.ValidationError):
        return _at_path(str(error))
    if isinstance(error, msgspec.DecodeError):
        return f"not valid JSON: {str(error).removeprefix('JSON is malformed: ')}"
    if isinstance(error, UnicodeError):
        return "not well-formed UTF-8"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _at_path(message: str) -> str:
    """Return a message of msgspec with its path in front, as every other fault has it.

    >>> _at_path("Expected `datetime` with a timezone component - at `$.occurred_at`")
    'occurred_at: expected datetime with a timezone component'
    """
    problem, _, path = message.replace("Object missing required field", "Is required -").partition(" - ")
    place = path.strip("`").removeprefix("at `$").lstrip(".").strip("`")
    said = (problem[:1].lower() + problem[1:]).replace("`", "")
    return f"{place}: {said}" if place else said
