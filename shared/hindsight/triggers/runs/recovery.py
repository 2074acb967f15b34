"""Executions of the retraining state machine that ended badly, and what is made up for them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.errors import InvalidInput
from hindsight.core.times import parse_time
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.runs.run import RetrainingRun
from hindsight.triggers.runs.result import conclusion_of, end_of
from hindsight.triggers.state import Conclusion, RunOutcome, TriggerState
from hindsight.triggers.store import TriggerStore

NOT_ANNOUNCED = "NotAnnounced"

ANNOUNCED_AS = {
    RunOutcome.PROMOTED: "ModelPromoted",
    RunOutcome.CANARY: "CanaryStarted",
    RunOutcome.SHADOW: "ShadowStarted",
    RunOutcome.REJECTED: "CandidateRejected",
    RunOutcome.STOPPED: "RetrainingStopped",
    RunOutcome.FAILED: "RetrainingFailed",
}
_VERSIONS_LOOKED_BACK = 20
_ENDED = {"FAILED": "failed", "TIMED_OUT": "took longer than it may", "ABORTED": "was stopped by somebody"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadExecution:
    """An execution that failed, ran out of time or was stopped; ``told`` is its input, which names its run."""

    run: RetrainingRun
    told: Mapping[str, Any]
    at: datetime
    ended: str
    error: str
    cause: str

    @property
    def reason(self) -> str:
        """What the run's decision says of it."""
        return ": ".join(part for part in (f"the execution {self.ended}", self.error, self.cause) if part)


def parse_dead_execution(event: Mapping[str, Any]) -> DeadExecution:
    """Return what an EventBridge event "Step Functions Execution Status Change" tells. Raises InvalidInput.

    AWS leaves the input out where it is larger than 248 KiB; a run's is a few.
    """
    try:
        detail = event["detail"]
        told = json.loads(detail["input"])
        return DeadExecution(
            run=RetrainingRun.from_event(told),
            told=told,
            at=parse_time(event["time"]),
            ended=_ENDED[detail["status"]],
            error=detail.get("error") or "",
            cause=detail.get("cause") or "",
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"the event tells of no run that ended badly: {error}") from error


@dataclass(frozen=True, slots=True)
class RunRecovery:
    """Ends runs whose execution could not."""

    store: TriggerStore
    registry: Registry
    announcements: Announcements

    def recover(self, dead: DeadExecution) -> RunOutcome | None:
        """Release the lock that a dead run still holds and say how it ended; return the outcome told, None if none.

        Most runs that failed have concluded and announced it themselves, and nothing is left to do. The announcement
        comes first: a crash after it tells the end twice, one the other way round would never tell it.
        """
        run = dead.run
        if _holds_lock(self.store.load(run.model), run):
            conclusion = end_found(self.registry, run, dead.reason)
            self._announce(dead, conclusion.outcome, end_of(conclusion))
            self.store.conclude(run.model, run.fencing_token, conclusion)
            return conclusion.outcome
        if dead.error == NOT_ANNOUNCED and (recorded := self._recorded(run)) is not None:
            self._announce(dead, recorded.outcome, end_of(recorded))
            return recorded.outcome
        return None

    def _recorded(self, run: RetrainingRun) -> Conclusion | None:
        decision = self.store.decision(run.model, run.as_of, run.decision_id)
        if decision is None or decision.outcome is None:
            return None
        return Conclusion(
            outcome=decision.outcome,
            at=run.as_of,
            reason=decision.outcome_reason or "",
            version=decision.outcome_version,
        )

    def _announce(self, dead: DeadExecution, outcome: RunOutcome, end: Mapping[str, Any]) -> None:
        told = Announcement(
            name=ANNOUNCED_AS[outcome],
            correlation_id=dead.run.decision_id,
            at=dead.at,
            data={**dead.told, **end},
        )
        self.announcements.publish([told])


def end_found(registry: Registry, run: RetrainingRun, reason: str) -> Conclusion:
    """Return how a run that could not say it itself ended: by the pointer, else by the gate's verdict on its version.

    A verdict against the version is an end, whatever became of the execution afterwards: taken for a failure, the run
    would give its demand back and judge the same rows again.
    """
    found = conclusion_of(registry, run, {"outcome": RunOutcome.FAILED, "reason": reason})
    if found.outcome is not RunOutcome.FAILED or (refused := _refused(registry, run)) is None:
        return found
    told = {"outcome": RunOutcome.REJECTED, "version": refused.version, "reason": "; ".join(refused.reasons)}
    return conclusion_of(registry, run, told)


def _refused(registry: Registry, run: RetrainingRun) -> VersionRecord | None:
    """Return the version of a run that the gate rejected, None if it judged none or passed it."""
    versions = registry.versions(run.model, _VERSIONS_LOOKED_BACK)
    own = [record for record in versions if record.decision_id == run.decision_id]
    return own[0] if own and own[0].verdict is Verdict.REJECT else None


def _holds_lock(state: TriggerState, run: RetrainingRun) -> bool:
    held = state.open_run
    return held is not None and (held.fencing_token, held.decision_id) == (run.fencing_token, run.decision_id)
