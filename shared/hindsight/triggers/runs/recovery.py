"""Recovery of runs whose execution of the retraining state machine failed before it could finalize them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hindsight.core.announcements import Announcement, Announcements
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.runs.run import RetrainingRun
from hindsight.triggers.runs.result import announced_result, result_of
from hindsight.triggers.state import RunOutcome, RunResult, TriggerState
from hindsight.triggers.store import TriggerStore

NOT_ANNOUNCED = "NotAnnounced"

ANNOUNCED_AS = {
    RunOutcome.PROMOTED: "ModelPromoted",
    RunOutcome.CANARY: "CanaryStarted",
    RunOutcome.SHADOW: "ShadowStarted",
    RunOutcome.REJECTED: "CandidateRejected",
    RunOutcome.SKIPPED: "RetrainingSkipped",
    RunOutcome.FAILED: "RetrainingFailed",
}
_MAX_VERSIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedExecution:
    """An execution that failed, ran out of time or was stopped; ``input`` is its input, which names its run."""

    run: RetrainingRun
    input: Mapping[str, Any]
    at: datetime
    ended: str
    error: str
    cause: str

    @property
    def reason(self) -> str:
        """The reason that is recorded on the run's decision."""
        return ": ".join(part for part in (f"the execution {self.ended}", self.error, self.cause) if part)


@dataclass(frozen=True, slots=True)
class RunRecovery:
    """The finalization of runs whose execution could not do it."""

    store: TriggerStore
    registry: Registry
    announcements: Announcements

    def recover(self, execution: FailedExecution) -> RunOutcome | None:
        """Release the lock that a failed run still holds and announce its end; return the outcome, None if left alone.

        Most runs that failed were finalized and announced by their execution, and nothing is left to do. The
        announcement comes first: a crash after it announces the end twice, one the other way round never would.
        """
        run = execution.run
        if _holds_lock(self.store.load(run.model), run):
            result = recovered_result(self.registry, run, execution.reason)
            self._announce(execution, result)
            self.store.finalize_run(run.model, run.fencing_token, result)
            return result.outcome
        if execution.error == NOT_ANNOUNCED and (recorded := self._recorded(run)) is not None:
            self._announce(execution, recorded)
            return recorded.outcome
        return None

    def _recorded(self, run: RetrainingRun) -> RunResult | None:
        decision = self.store.decision(run.model, run.as_of, run.decision_id)
        if decision is None or decision.outcome is None:
            return None
        return RunResult(
            outcome=decision.outcome,
            at=run.as_of,
            reason=decision.outcome_reason or "",
            version=decision.outcome_version,
        )

    def _announce(self, execution: FailedExecution, result: RunResult) -> None:
        announcement = Announcement(
            name=ANNOUNCED_AS[result.outcome],
            correlation_id=execution.run.decision_id,
            at=execution.at,
            data={**execution.input, **announced_result(result)},
        )
        self.announcements.publish([announcement])


def recovered_result(registry: Registry, run: RetrainingRun, reason: str) -> RunResult:
    """Find out how a run that was not finalized ended: by the pointer, else by the gate's verdict on its version.

    A verdict against the version is an end, with any later fate of the execution: taken for a failure, the run
    would make its signals pending again and judge the same rows again.
    """
    found = result_of(registry, run, {"outcome": RunOutcome.FAILED, "reason": reason})
    if found.outcome is not RunOutcome.FAILED or (rejected := _rejected(registry, run)) is None:
        return found
    given = {"outcome": RunOutcome.REJECTED, "version": rejected.version, "reason": "; ".join(rejected.reasons)}
    return result_of(registry, run, given)


def _rejected(registry: Registry, run: RetrainingRun) -> VersionRecord | None:
    """Find the version of a run that the gate rejected, None if it judged none or passed it."""
    versions = registry.versions(run.model, _MAX_VERSIONS)
    own = [record for record in versions if record.decision_id == run.decision_id]
    return own[0] if own and own[0].verdict is Verdict.REJECT else None


def _holds_lock(state: TriggerState, run: RetrainingRun) -> bool:
    held = state.open_run
    return held is not None and (held.fencing_token, held.decision_id) == (run.fencing_token, run.decision_id)
