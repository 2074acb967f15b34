"""The end of a relabelling's attempt, and its result."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core.jobs import JobStatus
from hindsight.labels.relabelling.job import MAX_REASON, RelabelJob
from hindsight.labels.relabelling.rules import same_rules
from hindsight.labels.relabelling.store import RelabelEnd, RelabelStore


@dataclass(frozen=True, slots=True)
class RelabelConclusions:
    """The finalizer of one deployment's relabelling attempts."""

    store: RelabelStore
    configurations: ConfigurationStore

    def conclude(self, run: Mapping[str, Any], at: datetime) -> tuple[RelabelJob, bool]:
        """Conclude an attempt; return the relabelling, and whether it was still this attempt's to conclude.

        ``run`` is the state machine's input, with ``failure`` if it went wrong. Raises NotFound.
        """
        model, job_id = str(run["model"]), str(run["job_id"])
        job = self.store.job(model, job_id)
        concluded = self.store.conclude(model, job_id, int(run["attempt"]), self._end(job, run, at))
        return self.store.job(model, job_id), concluded

    def _end(self, job: RelabelJob, run: Mapping[str, Any], at: datetime) -> RelabelEnd:
        if not same_rules(self.configurations, job.model, job.rules_revision):
            failure = f"the rules have changed since revision {job.rules_revision}; start a new relabelling"
            return RelabelEnd(JobStatus.SUPERSEDED, at, failure)
        failure = str(run.get("failure") or job.failure or "")[:MAX_REASON]
        if failure or job.failures:
            return RelabelEnd(JobStatus.FAILED, at, failure)
        return RelabelEnd(JobStatus.COMPLETED, at)
