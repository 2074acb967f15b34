"""The request of a run for a version that another trainer makes, and its answer."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from hindsight.core.codec import to_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """One dataset that a run waits for a version of, or waited.

    ``task_token`` answers the waiting run and is gone once it has been used: its holder decides, so that it is neither
    shown nor logged. ``version`` is the answer. ``revision`` counts the changes; each is conditional on the previous
    one.
    """

    model: str
    dataset_id: str
    decision_id: str
    requested_at: datetime
    expires_at: datetime
    task_token: str | None = field(repr=False)
    version: str | None = None
    revision: int = 1

    @property
    def is_waiting(self) -> bool:
        """True if the run has no answer yet."""
        return self.task_token is not None

    def to_json(self) -> dict[str, Any]:
        """Build the operators' view of the request, without its token."""
        plain = to_plain(self)
        return {name: plain[name] for name in ("dataset_id", "decision_id", "requested_at", "expires_at")}


class TrainingRequestStore(Protocol):
    """The training requests of every model by dataset."""

    def load(self, model: str, dataset_id: str) -> TrainingRequest | None:
        """Read the request for a version of a dataset, None if there was none."""

    def save(self, request: TrainingRequest) -> bool:
        """Store a request one revision after the stored one, or the first; False if another writer was faster."""

    def newest(self, model: str) -> TrainingRequest | None:
        """Find the request for the newest dataset, None before the first."""


def requested_again(before: TrainingRequest, request: TrainingRequest) -> TrainingRequest:
    """Take over the new token of a repeated step in place of the one that no longer works.

    A run that begins later on the same dataset takes the place of the earlier one.
    """
    if before.decision_id == request.decision_id and before.version and not before.is_waiting:
        return before
    version = before.version if before.decision_id == request.decision_id else None
    return replace(request, version=version, revision=before.revision + 1)


def answered_by(before: TrainingRequest, version: str) -> TrainingRequest:
    """Add the version that answers; the first one stays."""
    return before if before.version else replace(before, version=version, revision=before.revision + 1)


def delivered(before: TrainingRequest) -> TrainingRequest:
    """Remove the token once the run has the version."""
    return replace(before, task_token=None, revision=before.revision + 1)


def undelivered(before: TrainingRequest) -> TrainingRequest:
    """Remove the token of a run that waits no longer, and the version that came too late for it."""
    return replace(before, task_token=None, version=None, revision=before.revision + 1)
