"""Requests to verify a dataset: accepted at once, processed by a function with more time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.config.store import ConfigurationStore
from hindsight.core.fan_out import Invocations
from hindsight.core.jobs import Job, JobKind, JobStore, name_job
from hindsight.registry.store import Registry

# Lambda gives up on an invocation that is an hour old; the last attempt may have begun just before.
ENDS_WITHIN = timedelta(hours=1, minutes=15)


@dataclass(frozen=True, slots=True)
class VerificationRequests:
    """The requests to verify datasets."""

    jobs: JobStore
    registry: Registry
    configurations: ConfigurationStore
    work: Invocations

    def take(self, model: str, dataset_id: str, *, now: datetime, request_id: str, actor: str) -> Job:
        """Start to verify a dataset. Raises NotFound, Unavailable."""
        self.configurations.current(model)
        self.registry.dataset(model, dataset_id)
        job = self.jobs.start(
            Job(
                kind=JobKind.VERIFICATION,
                model=model,
                job_id=name_job(JobKind.VERIFICATION, now, model, dataset_id, request_id),
                at=now,
                started_at=now,
                actor=actor,
                request={"dataset_id": dataset_id},
            )
        )
        self.work.start({"model": model, "job_id": job.job_id})
        return job
