"""The requests of runs for a person's approval; a run waits for the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.errors import InvalidInput, StaleRun, Unavailable
from hindsight.core.retry import Overtaken, optimistic
from hindsight.registry.store import Registry
from hindsight.registry.version import VersionRecord
from hindsight.rollout.approval.approval import Approval, asked_again
from hindsight.rollout.approval.store import ApprovalStore
from hindsight.runs.run import RetrainingRun
from hindsight.triggers.state import LEASE
from hindsight.triggers.store import TriggerStore
from hindsight.validation.timestamps import ClientTimestamps

_PUBLISHED = ("candidate", "metrics", "compared_with", "champion_metrics", "notes", "card_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """The input of the step that waits; ``lasts`` is how long it waits from ``requested_at`` on."""

    run: RetrainingRun
    version: str
    task_token: str
    requested_at: datetime
    lasts: timedelta

    @classmethod
    def from_event(cls, event: Mapping[str, Any], trust: ClientTimestamps) -> "ApprovalRequest":
        """Read the request of a step's input, of the moment the step was entered at. Raises InvalidInput."""
        run = RetrainingRun.from_event(event)
        try:
            return cls(
                run=run,
                version=str(event["version"]),
                task_token=str(event["task_token"]),
                requested_at=run.moment(event.get("entered_at"), trust),
                lasts=timedelta(seconds=int(event["expires_in_seconds"])),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            # The text of the error could hold the token.
            raise InvalidInput(f"the step's input holds no request: {type(error).__name__}") from None


@dataclass(frozen=True, slots=True)
class ApprovalRequests:
    """The intake of approval requests from runs."""

    approvals: ApprovalStore
    triggers: TriggerStore
    registry: Registry
    announcements: Announcements

    def take(self, request: ApprovalRequest) -> Approval:
        """Keep a request and announce it; a repeated one replaces the token and is announced again.

        Raises NotFound for an unknown version, StaleRun for a run that has lost the model's lock, Unavailable.
        """
        run = request.run
        record = self.registry.version(run.model, request.version)
        # First of all: a run whose lease lapses while a person thinks would get an answer without effect.
        if not self.triggers.extend_lease(run.model, run.fencing_token, request.requested_at + LEASE + request.lasts):
            raise StaleRun(f"the run no longer holds the lock of {run.model!r}")
        approval = self._keep(request)
        if approval.answer is None:
            self.announcements.publish([_announcement(approval, record, run)])
        return approval

    def _keep(self, request: ApprovalRequest) -> Approval:
        asked = Approval(
            model=request.run.model,
            version=request.version,
            decision_id=request.run.decision_id,
            requested_at=request.requested_at,
            expires_at=request.requested_at + request.lasts,
            task_token=request.task_token,
        )

        def attempt() -> Approval:
            before = self.approvals.load(asked.model, asked.version)
            after = asked if before is None else asked_again(before, asked)
            if after is before or self.approvals.save(after):
                return after
            raise Overtaken

        return optimistic(attempt, otherwise=Unavailable(f"the approval of {request.version} keeps being changed"))


def _announcement(approval: Approval, record: VersionRecord, run: RetrainingRun) -> Announcement:
    proof = record.to_plain()
    asked = {name: value for name, value in approval.to_json().items() if name != "answer"}
    proven = {name: proof[name] for name in _PUBLISHED if name in proof}
    return Announcement(
        name="ApprovalRequested",
        correlation_id=run.decision_id,
        at=approval.requested_at,
        data={"model": run.model, **asked, "reason": run.reason, **proven},
    )
