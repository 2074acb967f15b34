"""Requests to erase what is kept of an entity: accepted at once, processed from a queue, announced afterwards."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core.jobs import Job, JobKind, JobStore, WorkQueue, job_message, name_job, send_again
from hindsight.privacy.subject import subject_digest
from hindsight.registry.store import Registry
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import Reason, TimedRequest
from hindsight.validation.timestamps import ClientTimestamps

ENTITY, SUBJECT = "entity_id", "subject"
DATASETS, UNREADABLE, STEPS, STEPS_TOTAL = "datasets", "unreadable", "steps", "steps_total"
_MAX_OPEN = 1_000
_MAX_VERSIONS = 10_000


class ErasureRequest(TimedRequest):
    """The body of a request; it may be absent."""

    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class ErasureRequests:
    """The requests for erasure."""

    jobs: JobStore
    configurations: ConfigurationStore
    queue: WorkQueue
    trust: ClientTimestamps

    def take(self, model: str, entity_id: str, body: object, *, now: datetime, request_id: str, actor: str) -> Job:
        """Start the erasure of an entity, or find the one of the same entity that is under way.

        Raises InvalidInput with the path at fault, NotFound for a model that is unknown, erased or being erased.
        """
        request = parse_item(ErasureRequest, body, "")
        self.configurations.newest(model)
        for job in self.jobs.newest(model, JobKind.ERASURE, _MAX_OPEN):
            if not job.is_over and job.request.get(ENTITY) == entity_id:
                # Its message may have been lost with the worker of the first request.
                self.queue.send(job_message(job))
                return job
        name = name_job(JobKind.ERASURE, now, model, entity_id, request_id)
        asked = {
            ENTITY: entity_id,
            SUBJECT: subject_digest(name, model, entity_id),
            "reason": request.reason,
        }
        job = self.jobs.start(
            Job(
                kind=JobKind.ERASURE,
                model=model,
                job_id=name,
                at=request.moment(now, self.trust),
                started_at=now,
                actor=actor,
                request={name: value for name, value in asked.items() if value is not None},
            )
        )
        self.queue.send(job_message(job))
        return job

    def resume(self, model: str, job_id: str) -> None:
        """Send an erasure to its worker again. Raises NotFound, NotResumable."""
        send_again(self.jobs, self.queue, model, job_id, JobKind.ERASURE)


def affected_versions(datasets: Iterable[str], model: str, registry: Registry) -> Iterator[dict[str, Any]]:
    """List the versions that were trained on any of some datasets, and whether each serves."""
    pointer, wanted = registry.pointer(model), set(datasets)
    serving = set[str]()
    if pointer is not None:
        serving = {pointer.champion, *([pointer.rollout.version] if pointer.rollout else [])}
    for record in registry.versions(model, _MAX_VERSIONS) if wanted else ():
        if record.dataset_id in wanted:
            yield {"version": record.version, "dataset_id": record.dataset_id, "serves": record.version in serving}


def without_subject(job: Job) -> Job:
    """Take the subject out of an erasure that is over."""
    return replace(job, request={name: value for name, value in job.request.items() if name != ENTITY})
