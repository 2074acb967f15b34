"""Requests to erase what is kept of an entity: accepted at once, worked off behind a queue, announced afterwards."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Protocol

from pydantic import Field

from hindsight.config.store import ConfigurationStore
from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput, NotFound
from hindsight.core.jobs import Job, JobKind, JobStore, job_id
from hindsight.core.times import format_time
from hindsight.privacy.subject import subject_digest
from hindsight.registry.store import Registry
from hindsight.validation.items import parse_item
from hindsight.validation.operator_request import TimedRequest
from hindsight.validation.timestamps import ClientTimestamps

ENTITY, SUBJECT = "entity_id", "subject"
DATASETS, UNREADABLE, SINCE = "datasets", "unreadable", "since"
_MAX_OPEN = 1_000
_MAX_VERSIONS = 10_000


class ErasureRequest(TimedRequest):
    """The body of a request; it may be absent."""

    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class DelayingQueue(Protocol):
    """A queue of work for a function, at once or after a while."""

    def send(self, body: str, delay_seconds: int = 0) -> None:
        """Send a message that no consumer gets before the delay is over."""


@dataclass(frozen=True, slots=True)
class ErasureRequests:
    """The requests for erasure."""

    jobs: JobStore
    configurations: ConfigurationStore
    queue: DelayingQueue
    trust: ClientTimestamps

    def take(self, model: str, entity_id: str, body: object, *, now: datetime, request_id: str) -> Job:
        """Start the erasure of an entity, or find the one of the same entity that is under way.

        Raises InvalidInput with the path at fault, NotFound for an unknown model.
        """
        request = parse_item(ErasureRequest, body, "")
        self.configurations.newest(model)
        for job in self.jobs.newest(model, JobKind.ERASURE, _MAX_OPEN):
            if not job.is_done and job.request.get(ENTITY) == entity_id:
                # Its message may have been lost with the worker of the first request.
                self.queue.send(message(job))
                return job
        erasure_id = job_id(now, model, entity_id, request_id)
        asked = {
            ENTITY: entity_id,
            SUBJECT: subject_digest(erasure_id, model, entity_id),
            SINCE: format_time(now),
            "reason": request.reason,
        }
        job = self.jobs.start(
            Job(
                kind=JobKind.ERASURE,
                model=model,
                job_id=erasure_id,
                at=request.moment(now, self.trust),
                request={name: value for name, value in asked.items() if value is not None},
            )
        )
        self.queue.send(message(job))
        return job


@dataclass(frozen=True, slots=True)
class ErasureReports:
    """The state of erasures."""

    jobs: JobStore
    configurations: ConfigurationStore
    registry: Registry

    def find(self, model: str, erasure_id: str) -> dict[str, Any]:
        """Read an erasure as operators see it. Raises NotFound."""
        job = self.jobs.load(model, JobKind.ERASURE, erasure_id)
        if job is None:
            raise NotFound(f"the model {model!r} has no erasure {erasure_id!r}")
        return {**shown(job), "versions": list(affected_versions(self.registry, job))}

    def newest(self, model: str, limit: int) -> list[dict[str, Any]]:
        """List at most ``limit`` erasures, newest first. Raises NotFound for an unknown model."""
        self.configurations.current(model)
        return [shown(job) for job in self.jobs.newest(model, JobKind.ERASURE, limit)]


def shown(job: Job) -> dict[str, Any]:
    """Show an erasure as operators see it: without its subject."""
    return {
        "erasure_id": job.job_id,
        "status": job.status.value,
        "requested_at": format_time(job.at),
        SUBJECT: job.request[SUBJECT],
        **({"reason": job.request["reason"]} if "reason" in job.request else {}),
        "counts": dict(sorted(job.counts.items())),
        DATASETS: list(job.checkpoint.get(DATASETS, ())),
        UNREADABLE: list(job.checkpoint.get(UNREADABLE, ())),
    }


def affected_versions(registry: Registry, job: Job) -> Iterator[dict[str, Any]]:
    """List the versions that were trained on rows of the subject, and whether each serves."""
    datasets, pointer = set(job.checkpoint.get(DATASETS, ())), registry.pointer(job.model)
    serving = set[str]()
    if pointer is not None:
        serving = {pointer.champion, *([pointer.rollout.version] if pointer.rollout else [])}
    for record in registry.versions(job.model, _MAX_VERSIONS) if datasets else ():
        if record.dataset_id in datasets:
            yield {"version": record.version, "dataset_id": record.dataset_id, "serves": record.version in serving}


def forgotten(job: Job, checkpoint: Mapping[str, Any]) -> Job:
    """Finish an erasure, without its subject from now on."""
    kept = {name: value for name, value in job.request.items() if name != ENTITY}
    return replace(job.advanced(checkpoint).done(), version=job.version + 1, request=kept)


def message(job: Job) -> str:
    """Build the message by which an erasure waits for its work."""
    return compact_json.dumps({"model": job.model, "erasure_id": job.job_id})


def parse_message(body: str) -> tuple[str, str]:
    """Parse the model and the id of the erasure that a message names. Raises InvalidInput."""
    found = compact_json.loads(body)
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in ("model", "erasure_id")):
        raise InvalidInput("the message names no erasure")
    return found["model"], found["erasure_id"]
