"""Operators' requests to relabel, to resume, and to see how far it is."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import Conflict, NotResumable, Unavailable
from hindsight.core.executions import Execution, StateMachine
from hindsight.core.jobs import JobKind, JobStatus, name_job
from hindsight.labels.relabelling.job import RESUMABLE, RelabelJob, run_input
from hindsight.labels.relabelling.rules import same_rules
from hindsight.labels.relabelling.store import RelabelStore
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import DaysRequest
from hindsight.validation.timestamps import ClientTimestamps

_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class RelabelReports:
    """The reports of relabellings, each as its execution shows it."""

    store: RelabelStore
    runs: StateMachine

    def job(self, model: str, wanted: str) -> RelabelJob:
        """Read one relabelling. Raises NotFound."""
        return self._as_it_stands(self.store.job(model, wanted))

    def newest(self, model: str, limit: int, before: str | None = None) -> list[RelabelJob]:
        """List at most ``limit`` relabellings, newest first, with ids below ``before``."""
        return [self._as_it_stands(job) for job in self.store.newest(model, limit, before)]

    def _as_it_stands(self, job: RelabelJob) -> RelabelJob:
        """Mark a relabelling as stopped whose execution was stopped or ran out of time."""
        if job.status is JobStatus.RUNNING and self.runs.execution(job.execution) is Execution.OVER:
            # It may have been concluded between the two looks.
            job = self.store.job(job.model, job.job_id)
            if job.status is JobStatus.RUNNING:
                return replace(job, status=JobStatus.STOPPED)
        return job


@dataclass(frozen=True, slots=True)
class RelabelRequests:
    """The intake of relabelling requests; every method raises NotFound for a model that does not exist."""

    store: RelabelStore
    runs: StateMachine
    configurations: ConfigurationStore
    trust: ClientTimestamps

    def take(self, model: str, body: object, *, now: datetime, request_id: str, actor: str) -> RelabelJob:
        """Begin a relabelling; with trusted client timestamps its labels become known at the moment it names.

        It is recorded before its execution starts: after a crash in between, the next request starts it.
        Raises InvalidInput with the path at fault, Conflict if one is open.
        """
        request = parse_item(DaysRequest, body, "")
        first, last = request.days()
        known_at = request.moment(now, self.trust)
        job = RelabelJob(
            model=model,
            job_id=name_job(JobKind.RELABELLING, now, model, request_id),
            reason=request.reason,
            rules_revision=self.configurations.current(model).revision,
            known_at=known_at,
            started_at=now,
            actor=actor,
            first_day=first,
            last_day=last,
        )
        return self._begin(job)

    def resume(self, model: str, wanted: str) -> RelabelJob:
        """Resume a relabelling that failed or was stopped: files that are done stay done.

        Raises NotFound, NotResumable if it runs, is complete, or its rules are no longer in force, and Conflict if
        another is open.
        """
        job = RelabelReports(self.store, self.runs).job(model, wanted)
        if job.status not in RESUMABLE:
            raise NotResumable(f"the relabelling {wanted} is {job.status}; only a failed or stopped one resumes")
        if not same_rules(self.configurations, model, job.rules_revision):
            raise NotResumable(f"the rules have changed since revision {job.rules_revision}; start a new relabelling")
        changes: dict[str, Any] = {"failures": 0, "failure": None, "finished_at": None}
        return self._begin(replace(job, attempt=job.attempt + 1, status=JobStatus.RUNNING, **changes))

    def _begin(self, job: RelabelJob) -> RelabelJob:
        for _ in range(_ATTEMPTS):
            found = self.store.open_job(job.model)
            if found is not None and (found.job_id, found.attempt) == (job.job_id, job.attempt):
                self.runs.start(found.execution, run_input(found))
                return found
            if found is not None and not self._is_over(found):
                raise Conflict(f"the relabelling {found.job_id} of {job.model!r} is still running")
            if self.store.begin(job, found):
                self.runs.start(job.execution, run_input(job))
                return job
        raise Unavailable(f"the relabellings of {job.model!r} keep being changed by others; try again")

    def _is_over(self, job: RelabelJob) -> bool:
        """Check whether an open attempt's execution is over; one that a crash kept from starting is started."""
        execution = self.runs.execution(job.execution)
        if execution is Execution.NEVER_STARTED:
            self.runs.start(job.execution, run_input(job))
        return execution is Execution.OVER
