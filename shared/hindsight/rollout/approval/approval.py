"""A run that waits for a person: what is asked, and what was answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hindsight.core.errors import Conflict
from hindsight.core.times import format_time, parse_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person said of a version, and why."""

    approved: bool
    by: str
    reason: str
    at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return the answer as operators see it and as it is kept."""
        return {"approved": self.approved, "by": self.by, "reason": self.reason, "at": format_time(self.at)}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Answer":
        """Return the answer that ``to_json`` showed."""
        return cls(approved=row["approved"], by=row["by"], reason=row["reason"], at=parse_time(row["at"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One version that waits for a person, or did.

    ``task_token`` answers the waiting run and is gone once it has been used: whoever holds it decides, so that it is
    neither shown nor logged. ``revision`` counts the changes; each is conditional on the one before.
    """

    model: str
    version: str
    decision_id: str
    requested_at: datetime
    expires_at: datetime
    task_token: str | None = field(repr=False)
    answer: Answer | None = None
    revision: int = 1

    @property
    def is_delivered(self) -> bool:
        """Whether the run has the answer."""
        return self.answer is not None and self.task_token is None

    def to_json(self) -> dict[str, Any]:
        """Return the approval as operators see it, without its token."""
        return {
            "version": self.version,
            "decision_id": self.decision_id,
            "requested_at": format_time(self.requested_at),
            "expires_at": format_time(self.expires_at),
            "answer": None if self.answer is None else self.answer.to_json(),
        }


def asked_again(before: Approval, request: Approval) -> Approval:
    """Return the approval after the run's step was repeated: its new token replaces the one that no longer works."""
    return before if before.is_delivered else replace(request, answer=before.answer, revision=before.revision + 1)


def answered(before: Approval, answer: Answer) -> Approval:
    """Return the approval with an answer, which stays as it is when it is given again.

    Raises Conflict where the opposite was answered.
    """
    if before.answer is None:
        return replace(before, answer=answer, revision=before.revision + 1)
    if before.answer.approved is not answer.approved:
        said = "approved" if before.answer.approved else "rejected"
        raise Conflict(f"{before.version} was {said} at {format_time(before.answer.at)}")
    return before


def delivered(before: Approval) -> Approval:
    """Return the approval once the run has the answer."""
    return replace(before, task_token=None, revision=before.revision + 1)


def undelivered(before: Approval) -> Approval:
    """Return the approval without the answer that came too late for its run."""
    return replace(before, answer=None, revision=before.revision + 1)
