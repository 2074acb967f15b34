"""The approval of a version by a person: the request of the run that waits, and the answer."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hindsight.core.codec import Record, to_plain
from hindsight.core.errors import Conflict
from hindsight.core.times import format_time


class Answer(Record, frozen=True, kw_only=True):
    """A person's answer on a version, with its audit."""

    approved: bool
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One version that waits for a person, or did.

    ``task_token`` answers the waiting run and is gone once it has been used: its holder decides, so that it is neither
    shown nor logged. ``revision`` counts the changes; each is conditional on the previous one.
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
        """True if the run has the answer."""
        return self.answer is not None and self.task_token is None

    def to_json(self) -> dict[str, Any]:
        """Build the operators' view of the approval, without its token."""
        plain = to_plain(self)
        return {name: plain[name] for name in ("version", "decision_id", "requested_at", "expires_at", "answer")}


def asked_again(before: Approval, request: Approval) -> Approval:
    """Take over the new token of a repeated step in place of the one that no longer works."""
    return before if before.is_delivered else replace(request, answer=before.answer, revision=before.revision + 1)


def answered(before: Approval, answer: Answer) -> Approval:
    """Add an answer, which stays as it is when it is given again.

    Raises Conflict where the opposite was answered.
    """
    if before.answer is None:
        return replace(before, answer=answer, revision=before.revision + 1)
    if before.answer.approved is not answer.approved:
        outcome = "approved" if before.answer.approved else "rejected"
        raise Conflict(f"{before.version} was {outcome} at {format_time(before.answer.at)}")
    return before


def delivered(before: Approval) -> Approval:
    """Remove the token once the run has the answer."""
    return replace(before, task_token=None, revision=before.revision + 1)


def undelivered(before: Approval) -> Approval:
    """Remove an answer that came too late for its run."""
    return replace(before, answer=None, revision=before.revision + 1)
