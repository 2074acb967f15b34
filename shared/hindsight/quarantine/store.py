"""The rejected rows, kept with their reasons so that they can be mended and replayed."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from msgspec import field

from hindsight.core import compact_json
from hindsight.core.codec import Record
from hindsight.entities.feedback import Feedback
from hindsight.lake.object_store import QUARANTINE, Lake, day_prefix, parse_day
from hindsight.quarantine.rejects import RejectCode, RowKind

# No model can be called so: names begin with a letter or a digit.
UNREADABLE = "_unreadable"
MAX_TEXT = 32 * 1024
_KEY = re.compile(
    rf"{QUARANTINE}/model=(?P<model>[^/]+)/date=(?P<day>\d{{4}}-\d{{2}}-\d{{2}})/(?P<code>[a-z_]+)-[0-9a-f]{{32}}\.jsonl\.gz"
)


class QuarantinedRow(Record, frozen=True, kw_only=True):
    """One thing that was not taken.

    It is either an ``event`` (a row of the raw feedback files) or the ``text`` of a line: an item as clients send
    them, or, where it is malformed and comes from the raw feedback, a line of that. ``day`` is the day it was
    received, ``job_id`` the last replay that has looked at it.
    """

    code: RejectCode
    reason: str
    day: date
    model: str = UNREADABLE
    kind: RowKind = RowKind.FEEDBACK
    path: str | None = None
    received_at: datetime | None = None
    event: Mapping[str, Any] | None = None
    file: str | None = None
    line: int | None = None
    text: str | None = None
    is_truncated: bool = field(default=False, name="truncated")
    job_id: str | None = None

    @property
    def identity(self) -> str:
        """The identity of this reject, without its code.

        After a crash the same reject may be in two objects.
        """
        return compact_json.digest([self.kind.value, self.event, self.file, self.line, self.text])[:32]

    def to_json(self) -> dict[str, Any]:
        """Build the row as its object holds it, whose key has the day."""
        row = {"kind": self.kind.value, **self.replace(path=self.path or None).to_plain()}
        return {name: value for name, value in row.items() if name != "day"}

    @classmethod
    def from_json(cls, row: Mapping[str, Any], day: date) -> "QuarantinedRow":
        """Read the row that an object of a day holds."""
        return cls.from_plain({**row, "day": day})


@dataclass(frozen=True, slots=True)
class QuarantineKey:
    """The rows of an object, by its name."""

    model: str
    day: date
    code: RejectCode


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The writer under ``quarantine/``; objects are named by their content, so that equal rows replace each other.

    What comes late of a model that ``is_erased`` is not kept.
    """

    lake: Lake
    is_erased: Callable[[str], bool] = lambda _: False

    def put(self, rows: Iterable[QuarantinedRow]) -> list[str]:
        """Keep rows, each code of a model's day in one object; return the objects' keys."""
        grouped: dict[tuple[str, date, RejectCode], list[dict[str, Any]]] = {}
        for row in rows:
            grouped.setdefault((row.model, row.day, row.code), []).append(row.to_json())
        written = []
        erased = {model for model in {model for model, _, _ in grouped} if self.is_erased(model)}
        for (model, day, code), found in grouped.items():
            if model in erased:
                continue
            name = f"{code.value}-{compact_json.digest(found)[:32]}.jsonl.gz"
            written.append(f"{day_prefix(QUARANTINE, model, day)}{name}")
            self.lake.write_lines(written[-1], found)
        return written

    def put_events(self, code: RejectCode, reason: str, events: Iterable[Feedback]) -> None:
        """Keep well-formed events that could not be joined; one that several predictions share once."""
        ordered = sorted(events, key=lambda event: (event.received_at, event.model, event.feedback_id))
        rows = (event_row(code, reason, event) for event in ordered)
        self.put({row.identity: row for row in rows}.values())


def event_row(code: RejectCode, reason: str, event: Feedback) -> QuarantinedRow:
    """Build the row of a well-formed event, as it was received, whichever predictions it was matched with."""
    return QuarantinedRow(
        code=code,
        reason=reason,
        day=event.received_at.date(),
        model=event.model,
        received_at=event.received_at,
        event=event.replace(given_until={}).to_plain(),
    )


def parse_key(key: str) -> QuarantineKey | None:
    """Read the name of an object under ``quarantine/``, None for any other.

    >>> parse_key(f"quarantine/model=bikes/date=2026-03-01/invalid-{'0' * 32}.jsonl.gz").code.value
    'invalid'
    """
    match = _KEY.fullmatch(key)
    day = parse_day(match["day"]) if match else None
    if match is None or day is None or match["code"] not in set(RejectCode):
        return None
    return QuarantineKey(match["model"], day, RejectCode(match["code"]))


def kept_text(text: str) -> tuple[str, bool]:
    """Cut a text to as much as quarantine keeps; return whether something was cut off too."""
    return text[:MAX_TEXT], len(text) > MAX_TEXT
