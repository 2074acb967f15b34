"""Requests to export labels: accepted at once, worked off by a function with more time."""

from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import Conflict, InvalidInput, NotResumable
from hindsight.core.fan_out import Invocations
from hindsight.core.jobs import Job, JobKind, JobStatus, JobStore, find_job, name_job
from hindsight.core.times import format_time
from hindsight.validation.operator_request import queried_moment
from hindsight.validation.timestamps import ClientTimestamps

FIRST, LAST, REVISION = "from", "to", "configuration_revision"
DONE, TOTAL, DROPPED, BYTES = "rows", "rows_total", "dropped", "bytes"


@dataclass(frozen=True, slots=True)
class ExportRequests:
    """The requests to export labels; one that is sent twice is two exports, each with its own file."""

    jobs: JobStore
    configurations: ConfigurationStore
    work: Invocations
    trust: ClientTimestamps

    def take(
        self, model: str, first: str | None, last: str | None, *, now: datetime, request_id: str, actor: str
    ) -> Job:
        """Start to export the labels of predictions made from one moment or day to another, as known then.

        Raises InvalidInput with the path at fault, NotFound for an unknown model, Unavailable.
        """
        revision = self.configurations.newest(model).revision
        job = self.jobs.start(
            Job(
                kind=JobKind.EXPORT,
                model=model,
                job_id=name_job(JobKind.EXPORT, now, model, request_id),
                at=now,
                started_at=now,
                actor=actor,
                request={**self._range(first, last, now), REVISION: revision},
            )
        )
        self._start(job)
        return job

    def resume(self, model: str, job_id: str) -> None:
        """Start an export again that was not completed; what may still work on it stops at its next step.

        Raises NotFound, NotResumable, Conflict, Unavailable.
        """
        job = find_job(self.jobs, model, job_id, JobKind.EXPORT)
        if job.status is JobStatus.COMPLETED:
            raise NotResumable(f"the export {job_id} is completed; ask for another one")
        again = replace(job.advanced({}), status=JobStatus.RUNNING, finished_at=None, failure=None)
        if not self.jobs.save(again):
            raise Conflict(f"the export {job_id} has moved on meanwhile; read it again")
        self._start(again)

    def _start(self, job: Job) -> None:
        self.work.start({"model": job.model, "job_id": job.job_id})

    def _range(self, first: str | None, last: str | None, now: datetime) -> dict[str, Any]:
        """Read the range, which ends now unless it is to end before; where clients' times are trusted, also after."""
        begin, end = queried_moment(first, FIRST, time.min), queried_moment(last, LAST, time.max) or now
        end = end if self.trust is ClientTimestamps.TRUSTED else min(end, now)
        if begin is not None and begin >= end:
            raise InvalidInput.in_query(FIRST, f"must lie before {LAST}, and in the past")
        return {**({} if begin is None else {FIRST: format_time(begin)}), LAST: format_time(end)}
