"""Jobs in the models table, but relabellings."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hindsight.adapters.dynamodb.attributes import from_attributes, to_attributes
from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.adapters.jobs_table.job_keys import newest_items, sort_key
from hindsight.core.jobs import Job, JobKind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_FOR = timedelta(days=400)
_TEXTS = ("request", "checkpoint", "counts")
_VERSION = "job_version"


class DynamoJobs:
    """One item a job; see ``hindsight.core.jobs.JobStore``."""

    def __init__(self, table: str, client: "DynamoDBClient") -> None:
        self._items = ModelItems(table, client)

    def start(self, job: Job) -> Job:
        """Store a new job; return the stored one if it was started before."""
        found = self._items.put_once(job.model, sort_key(job.job_id), _to_values(job))
        return job if found is None else _from_values(found)

    def load(self, model: str, job_id: str) -> Job | None:
        """Read a job, None if there is none."""
        found = self._items.get(model, sort_key(job_id))
        return None if found is None else _from_values(found)

    def save(self, job: Job) -> bool:
        """Store a job that has moved on by one version; False if another worker was faster."""
        return self._items.put_if_version(
            job.model,
            sort_key(job.job_id),
            _to_values(job),
            attribute=_VERSION,
            expected=job.version - 1,
        )

    def newest(self, model: str, kind: JobKind, limit: int, before: str | None = None) -> list[Job]:
        """List at most ``limit`` jobs of a kind, newest first; one that was begun just now is among them."""
        return [_from_values(values) for values in newest_items(self._items, model, kind, limit, before)]


def _to_values(job: Job) -> dict[str, Any]:
    values = to_attributes(job, _TEXTS)
    expires_at = int((job.started_at + KEPT_FOR).timestamp())
    return {**values, "model": None, "version": None, _VERSION: job.version, "expires_at": expires_at}


def _from_values(values: dict[str, Any]) -> Job:
    return from_attributes(Job, {**values, "model": values["pk"], "version": values[_VERSION]}, _TEXTS)
