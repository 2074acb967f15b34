"""Raw feedback files: JSON lines, read in bounded chunks; a line that cannot be read does not hold up the others."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, NoReturn

from shared.capture.feedback import Feedback, FeedbackValue
from shared.configuration.store import ConfigurationStore
from shared.configuration.types import IDENTIFIER, MODEL_NAME
from shared.errors import NotFound
from shared.labels.join import JoinReport, LabelJoiner
from shared.labels.quarantine import UNREADABLE, Quarantine, QuarantinedRow, event_row, kept_text
from shared.labels.rejects import Reject, RejectCode, model_in, rejected_line
from shared.lake import Lake

FEEDBACK_PREFIX = "feedback/"
CHUNK_LINES = 2000
MAX_NAME = 128
MAX_VALUE = 1024
MAX_INTEGER = 2**53
_DAY = re.compile(r"(?:^|/)date=(\d{4}-\d{2}-\d{2})/")
_IDENTIFIER = re.compile(IDENTIFIER).fullmatch
_MODEL = re.compile(MODEL_NAME).fullmatch
_EPOCH = date(1970, 1, 1)


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
        for events, rejected in self._chunks(key, known):
            report.merge(self.joiner.join(events))
            self.quarantine.put(rejected)
            for row in rejected:
                report.count_quarantined(row.model, row.code)
        return report

    def _chunks(self, key: str, known: "_KnownModels") -> Iterator[tuple[list[Feedback], list[QuarantinedRow]]]:
        events: list[Feedback] = []
        rejected: list[QuarantinedRow] = []
        for number, line in enumerate(self.lake.read_raw_lines(key), start=1):
            parsed = parse_feedback_line(line)
            if isinstance(parsed, Reject):
                rejected.append(_rejected_row(key, number, line, parsed))
            elif known(parsed.model):
                events.append(parsed)
            else:
                rejected.append(event_row(RejectCode.UNKNOWN_MODEL, f"no model is called {parsed.model!r}", parsed))
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
    """Return the event a line of a feedback file holds, or what is wrong with it."""
    try:
        text = line.decode("utf-8")
        row = _decode(text)
        if not isinstance(row, dict):
            return Reject(RejectCode.MALFORMED, "must be a JSON object")
        if "\\u" in text:
            json.dumps(row, ensure_ascii=False).encode("utf-8")
        if (rejected := rejected_line(row)) is not None:
            return rejected
        return Feedback(
            model=_text(row, "model", _MODEL),
            prediction_id=_text(row, "prediction_id", _IDENTIFIER),
            feedback_id=_text(row, "feedback_id", _IDENTIFIER),
            name=_text(row, "name"),
            value=_value(row.get("value")),
            occurred_at=_moment(row, "occurred_at"),
            received_at=_moment(row, "received_at"),
            source=_text(row, "source") if row.get("source") is not None else None,
            body_digest=_text(row, "body_digest"),
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
        received_at=reject.received_at,
        file=key,
        line=number,
        text=text,
        is_truncated=reject.is_truncated or was_cut,
    )


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _text(row: dict[str, Any], name: str, pattern: Any = None) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or (pattern is not None and not pattern(value)):
        raise ValueError(f"{name}: is required" if value is None else f"{name}: is not valid")
    return value


def _value(value: object) -> FeedbackValue:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= MAX_VALUE:
        return value
    if isinstance(value, int) and abs(value) <= MAX_INTEGER:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"value: must be a finite number, text of at most {MAX_VALUE} characters, true or false")


def _moment(row: dict[str, Any], name: str) -> datetime:
    text = row.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name}: is required")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name}: must be an RFC 3339 time with an offset") from None
    if moment.tzinfo is None:
        raise ValueError(f"{name}: must carry an offset")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not valid JSON: {error.msg} at column {error.colno}"
    if isinstance(error, UnicodeError):
        return "not well-formed UTF-8"
    return str(error)
