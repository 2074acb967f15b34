"""Rejected feedback, kept with its reason so that it can be mended and sent again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from shared import compact_json
from shared.capture.feedback import Feedback
from shared.lake import Lake
from shared.times import format_time

QUARANTINE = "quarantine"


class RejectCode(StrEnum):
    """Why feedback was not joined."""

    MALFORMED = "malformed"
    UNKNOWN_MODEL = "unknown_model"
    CONFLICT = "conflict"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a line of feedback cannot be joined."""

    code: RejectCode
    reason: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Writes under ``quarantine/``; equal rows replace each other, so that a repeated join does not double them."""

    lake: Lake

    def put_lines(self, day: date, source: str, part: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep the rejected lines of one feedback file."""
        name = source.strip("/").replace("/", "_")
        self.lake.write_lines(f"{_prefix(day)}{name}-{part:05d}.jsonl.gz", rows)

    def put_events(self, code: RejectCode, reason: str, events: Iterable[Feedback]) -> None:
        """Keep well-formed events that could not be joined, under the day of the first."""
        found = sorted(events, key=lambda event: (event.received_at, event.model, event.feedback_id))
        if found:
            rows = [{"code": code.value, "reason": reason, "event": feedback_row(event)} for event in found]
            name = f"{code.value}-{compact_json.digest(rows)[:32]}"
            self.lake.write_lines(f"{_prefix(found[0].received_at.date())}{name}.jsonl.gz", rows)


def feedback_row(event: Feedback) -> dict[str, Any]:
    """Return an event as the raw feedback files hold it."""
    row = {name: getattr(event, name) for name in event.__struct_fields__}
    row["occurred_at"], row["received_at"] = format_time(event.occurred_at), format_time(event.received_at)
    return {name: value for name, value in row.items() if value is not None}


def _prefix(day: date) -> str:
    return f"{QUARANTINE}/date={day.isoformat()}/"
